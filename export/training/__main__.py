"""``python -m export.training``: train the student that hears, whole or without some of its parts, and measure it."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from edge.errors import RoomtoneError
from export.data.fetch import DEFAULT_CACHE
from export.data.recipes import load_packages
from export.training.ablation import ablate, table
from export.training.recipe import Studio
from export.training.stages import Recipe, removable


def main(arguments: Sequence[str] | None = None) -> int:
    """Train (or go on with, or find trained) a student of the recipe; its figures as JSON with ``--figures``."""
    parser = argparse.ArgumentParser(
        prog="python -m export.training", description="Train the student that hears; say where it lies.",
        epilog="example: python -m export.training --scale 0.1 --without pretraining --figures")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="packages and work (default: %(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, help="times the steps of every stage")
    parser.add_argument("--seed", type=int, default=Recipe().seed)
    parser.add_argument("--without", nargs="+", default=[], metavar="PART", choices=removable(Recipe()),
                        help=f"leave out: {', '.join(removable(Recipe()))}")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--figures", action="store_true", help="measure on the held-out packages, print JSON")
    what.add_argument("--ablate", action="store_true", help="train as often as there are stages, each time without one "
                      "whose steps the others get; print a table of the figures of validation packages")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    recipe = replace(Recipe(), seed=options.seed).scaled(options.scale).without(options.without)
    try:
        if options.ablate:
            print(table(ablate(load_packages(), options.cache, recipe)))
            return 0
        studio = Studio(load_packages(), options.cache, recipe)
        hearing = studio.hearing()
        print(json.dumps(studio.figures(hearing).document(), indent=1) if options.figures else studio.folder)
    except RoomtoneError as error:
        print(f"export.training: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
