"""``roomtone-export verify``: is this bundle what its manifest says?"""

import argparse
from pathlib import Path
from typing import Any

from edge.bundle import open_bundle

NAME = "verify"
HELP = "check every file of a bundle against its manifest"
EXAMPLE = "roomtone-export verify my-bundle"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    bundle = open_bundle(arguments.bundle)
    models = {
        kind: {"input_shape": list(model.input_shape),
               "outputs": {output.view: output.space for output in model.outputs},
               "bytes": {runtime: path.stat().st_size for runtime, path in model.files.items()}}
        for kind, model in bundle.models.items()}
    return {"ok": True, "bundle": str(bundle.path), "name": bundle.name, "version": bundle.version, "models": models}
