"""``roomtone-export sign``: put a signature beside a bundle's or snapshot's manifest."""

import argparse
from pathlib import Path
from typing import Any

NAME = "sign"
HELP = "sign a bundle or a snapshot, so that devices which trust the key open it"
EXAMPLE = "roomtone-export sign my-bundle --key keys/release --sequence 7 --expires 2030-12-31"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="the secret key of keygen")
    parser.add_argument("--sequence", type=int, metavar="N", help="a device goes back to no lower one")
    parser.add_argument("--expires", metavar="YYYY-MM-DD", help="the last day on which devices open it")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    from export.signing import sign

    return sign(arguments.folder, arguments.key, sequence=arguments.sequence, expires=arguments.expires)
