"""``roomtone-export evaluate``: how good is the device's recommender on these ratings, beside the usual ones?"""

import argparse
from pathlib import Path
from typing import Any

NAME = "evaluate"
HELP = "measure the device's own recommender on users held out of a ratings file"
EXAMPLE = "roomtone-export evaluate ratings.csv --seeds 3"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    columns = "columns user, item, rating, timestamp and, if you like, title, genre, artist, year"
    parser.add_argument("ratings", type=Path, metavar="RATINGS.csv", help=columns)
    temporal = "temporal: fold in the first 80 %% of a held-out user's history, foretell the rest"
    parser.add_argument("--protocol", choices=["temporal"], default="temporal", help=temporal)
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="so many splits are averaged")
    parser.add_argument("--method", choices=["auto", "ease", "als"], default="auto", help="how factors are made")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    import sys

    from edge.errors import UsageError
    from export.collaborative.evaluate import evaluate
    from export.collaborative.ratings import read_ratings

    if not 1 <= arguments.seeds <= 100:
        raise UsageError(f"--seeds {arguments.seeds} must lie in 1 to 100")
    ratings = read_ratings(arguments.ratings)
    return evaluate(ratings, seeds=arguments.seeds, method=arguments.method,
                    say=lambda text: print(text, file=sys.stderr))  # fmt: skip
