"""``roomtone-export collaborative``: what ratings say about who plays what together, into a snapshot."""

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import UsageError

if TYPE_CHECKING:
    from edge.recommend.ranker import Ranker
    from export.collaborative.grades import Scale
    from export.collaborative.ratings import Ratings

NAME = "collaborative"
HELP = "learn item factors, neighbours and a ranker from ratings and write them into a catalogue"
EXAMPLE = "roomtone-export collaborative ratings.csv --catalog catalog"
STRONGEST = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("ratings", type=Path, metavar="RATINGS.csv",
        help="columns user, item (as in the catalogue), rating, timestamp; or a folder of such files, each with the "
             "whole histories of its users, that need not fit into memory together")
    add("--catalog", type=Path, required=True, metavar="SNAPSHOT", help="the catalogue to extend")
    add("--out", type=Path, metavar="SNAPSHOT", help="where to write it; default: in its place")
    add("--method", choices=["auto", "ease", "als"], default="auto", help="how factors are made")
    add("--no-ranker", action="store_true", help="leave the ranker as it is assumed, train none (five fits less)")
    add("--engine", choices=["local", "ray"], default="local",
        help="who reads and counts the files of a folder: this process, or a Ray cluster (needs roomtone[ray])")
    add("--ray-address", metavar="ADDRESS", help="of a running cluster (default: one is made here)")
    add("--seed", type=int, default=0, metavar="N", help="of the folds and of the training")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.ratings.is_dir():
        return _from_parts(arguments)
    if arguments.engine != "local":
        raise UsageError(f"--engine {arguments.engine} counts a folder of files; {arguments.ratings} is none")

    from export.collaborative.grades import scale_of
    from export.collaborative.model import fit
    from export.collaborative.ratings import read_ratings
    from export.collaborative.snapshot import add_to_snapshot

    ratings = read_ratings(arguments.ratings)
    scale = scale_of(ratings)
    model = fit(ratings, scale, method=arguments.method, seed=arguments.seed)
    ranker, said = _ranker(arguments, ratings, scale)
    out = arguments.out or arguments.catalog
    done = add_to_snapshot(arguments.catalog, model, ratings.items, out=out, ranker=ranker)
    return {"snapshot": str(out), "method": model.factors.method, "users": len(ratings.users),
            "ratings": len(ratings.user), "repeated": ratings.repeated, **done, "ranker": said}  # fmt: skip


def _from_parts(arguments: argparse.Namespace) -> dict[str, Any]:
    from export.collaborative.parts import LocalEngine, RayEngine, fit_files, rating_files
    from export.collaborative.snapshot import add_to_snapshot

    if arguments.method == "als":
        raise UsageError("--method als needs all ratings in one file and in memory; a folder is learned from by ease")
    files = rating_files(arguments.ratings)
    on_ray = arguments.engine == "ray"
    with RayEngine(address=arguments.ray_address) if on_ray else nullcontext(LocalEngine()) as engine:
        model, census = fit_files(files, engine)
    out = arguments.out or arguments.catalog
    done = add_to_snapshot(arguments.catalog, model, list(census.items), out=out)
    return {"snapshot": str(out), "method": model.factors.method, "files": len(files), "users": census.users,
            "ratings": census.ratings, "repeated": census.repeated, **done,
            "ranker": "not trained: the ratings are in parts"}  # fmt: skip


def _ranker(arguments: argparse.Namespace, ratings: "Ratings", scale: "Scale") -> "tuple[Ranker | None, Any]":
    """The ranker and what to say of it: its strongest weights, or why there is none."""
    if arguments.no_ranker:
        return None, "not trained: --no-ranker"
    from tqdm import tqdm

    from edge.errors import ExportError
    from export.collaborative.ranker_file import strongest
    from export.collaborative.ranking_lists import FOLDS, ranking_lists
    from export.training.ranking import Options, train

    with tqdm(total=FOLDS, desc="ranking lists", unit="fold", disable=None) as bar:
        try:
            lists = ranking_lists(ratings, scale, seed=arguments.seed, method=arguments.method,
                                  catalog=arguments.catalog, step=bar.update)  # fmt: skip
            ranker = train(lists, Options(seed=arguments.seed))
        except ExportError as error:  # a few ratings make factors, but nobody whose taste could be foretold
            return None, f"not trained: {error}"
    return ranker, {"lists": len(lists), "strongest": strongest(ranker, lists, STRONGEST)}
