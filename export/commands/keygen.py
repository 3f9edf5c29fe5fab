"""``roomtone-export keygen``: a pair of keys for signing."""

import argparse
from pathlib import Path
from typing import Any

NAME = "keygen"
HELP = "make a pair of keys: FILE stays secret, FILE.pub goes into the devices' folder of trusted keys"
EXAMPLE = "roomtone-export keygen keys/release"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    from export.signing import make_keys

    pair = make_keys(arguments.file)
    return {"secret": str(pair.secret), "public": str(pair.public)}
