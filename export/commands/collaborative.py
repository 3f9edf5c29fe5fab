"""``roomtone-export collaborative``: what ratings say about who plays what together, into a snapshot."""

import argparse
from pathlib import Path
from typing import Any

NAME = "collaborative"
HELP = "learn item factors and neighbours from ratings and write them into a catalogue"
EXAMPLE = "roomtone-export collaborative ratings.csv --catalog catalog"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ratings", type=Path, metavar="RATINGS.csv",
                        help="columns user, item (ids of the catalogue), rating, timestamp")  # fmt: skip
    parser.add_argument(
        "--catalog", type=Path, required=True, metavar="SNAPSHOT", help="the catalogue to extend"
    )
    parser.add_argument(
        "--out", type=Path, metavar="SNAPSHOT", help="where to write it; default: in its place"
    )
    parser.add_argument(
        "--method", choices=["auto", "ease", "als"], default="auto", help="how factors are made"
    )


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    from export.collaborative.grades import scale_of
    from export.collaborative.model import fit
    from export.collaborative.ratings import read_ratings
    from export.collaborative.snapshot import add_to_snapshot

    ratings = read_ratings(arguments.ratings)
    model = fit(ratings, scale_of(ratings), method=arguments.method)
    out = arguments.out or arguments.catalog
    done = add_to_snapshot(arguments.catalog, model, ratings.items, out=out)
    return {"snapshot": str(out), "method": model.factors.method, "users": len(ratings.users),
            "ratings": len(ratings.user), "repeated": ratings.repeated, **done}  # fmt: skip
