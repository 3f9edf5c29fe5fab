"""``roomtone-export verify``: is this bundle what its manifest says, and did someone whom we trust sign it?"""

import argparse
from pathlib import Path
from typing import Any

from edge.bundle import open_bundle
from edge.trust import load_trust

NAME = "verify"
HELP = "check every file of a bundle against its manifest, and its signature against trusted keys"
EXAMPLE = "roomtone-export verify my-bundle --keys /etc/roomtone/keys"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument("--keys", type=Path, metavar="DIR",
                        help="folder of NAME.pub files, of which one must have signed")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    trust = load_trust(arguments.keys) if arguments.keys else None
    bundle = open_bundle(arguments.bundle, trust=trust)
    models = {
        kind: {"input_shape": list(model.input_shape),
               "outputs": {output.view: output.space for output in model.outputs},
               "bytes": {runtime: path.stat().st_size for runtime, path in model.files.items()}}
        for kind, model in bundle.models.items()}
    return {"ok": True, "bundle": str(bundle.path), "name": bundle.name, "version": bundle.version,
            "sequence": bundle.sequence, "signature": "trusted" if trust else "not asked for", "models": models}
