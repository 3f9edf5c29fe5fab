"""``roomtone-export map``: a catalogue as a picture that one can point at."""

import argparse
from pathlib import Path
from typing import Any

NAME = "map"
HELP = "draw a catalogue as a page on which what is alike lies near"
EXAMPLE = "roomtone-export map my-catalog --out map.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("catalog", type=Path, metavar="CATALOG", help="a snapshot")
    parser.add_argument("--out", type=Path, required=True, metavar="PAGE.html", help="the page to be written")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    from export.catalog.map import write_map

    return write_map(arguments.catalog, arguments.out)
