"""Ratings beyond one machine's memory: a folder of CSV files, each with the whole histories of its users.

All that a model of the method ``ease`` is learned from are sums over users (counts.py), so every file is read and
counted apart, by an engine that maps a function over the files: this process, one file after another, or a Ray
cluster. What has to fit into this machine's memory are the items and their Gram matrix, never the ratings. Three
passes: which items there are, what to count, and how often the finished factors show each item.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from edge.errors import ExportError
from export.catalog.on_ray import connect
from export.collaborative.counts import Counts, count, total
from export.collaborative.factors import Factors
from export.collaborative.grades import Scale, scale_between
from export.collaborative.item_weights import strengths_matrix
from export.collaborative.model import CollaborativeModel, assembled, ease, exposures
from export.collaborative.ratings import Ratings, read_ratings

SUFFIXES = (".csv", ".tsv")


class Engine(Protocol):
    def map(self, function: Callable[[Path], Any], files: Iterable[Path]) -> Iterator[Any]:
        """The function's results, in the order of the files. Raises what it raises."""
        ...


class LocalEngine:
    def map(self, function: Callable[[Path], Any], files: Iterable[Path]) -> Iterator[Any]:
        return map(function, files)


class RayEngine:
    """A context manager; a cluster that was made for it ends with it. Every node must see the files."""

    def __init__(self, *, address: str | None = None, workers: int | None = None):
        """Raises RuntimeMissingError when Ray is not installed, ExportError when there is no cluster at the address."""
        self._ray, self._own = connect(address, workers)
        self._most = 2 * (workers or max(1, int(self._ray.cluster_resources().get("CPU", 1))))

    def map(self, function: Callable[[Path], Any], files: Iterable[Path]) -> Iterator[Any]:
        task, shared = self._ray.remote(_call), self._ray.put(function)
        waiting: list[Any] = []
        for file in files:
            waiting.append(task.remote(shared, file))
            if len(waiting) == self._most:
                yield self._result(waiting.pop(0))
        while waiting:
            yield self._result(waiting.pop(0))

    def _result(self, future: Any) -> Any:
        try:
            return self._ray.get(future)
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except self._ray.exceptions.RayError as error:
            raise ExportError(f"the Ray cluster failed: {error!s:.200}; run it again") from error

    def __enter__(self) -> "RayEngine":
        return self

    def __exit__(self, *_: object) -> None:
        if self._own:
            self._ray.shutdown()


@dataclass(frozen=True)
class Census:
    """What all files together have."""

    items: dict[str, dict[str, str]]
    """Item to its texts, in the order in which they were met."""
    lowest: float
    highest: float
    users: int
    ratings: int
    repeated: int

    def __add__(self, other: "Census") -> "Census":
        return Census(
            items=self.items | other.items, lowest=min(self.lowest, other.lowest),
            highest=max(self.highest, other.highest), users=self.users + other.users,
            ratings=self.ratings + other.ratings, repeated=self.repeated + other.repeated)  # fmt: skip


def rating_files(path: Path) -> list[Path]:
    """The files of a folder, by name. Raises ExportError when there is none."""
    files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
    if not files:
        raise ExportError(f"{path}: no {' or '.join(SUFFIXES)} file in it; give a file of ratings or a folder of them")
    return files


def fit_files(files: list[Path], engine: Engine) -> tuple[CollaborativeModel, Census]:
    """Learn by ``ease`` from ratings in several files. A user whose ratings lie in two files counts as two users.

    Raises ExportError, naming the file, for what are no ratings, and when nobody liked anything.
    """
    parts = engine.map(_census, files)
    census = sum(parts, start=next(parts))
    scale, items = scale_between(census.lowest, census.highest), list(census.items)
    counts: Counts = total(engine.map(partial(_counted, items=items, scale=scale), files))
    factors, near = ease(counts)
    shown = sum(engine.map(partial(_shown, items=items, scale=scale, factors=factors), files))
    return assembled(counts, scale, factors, near, np.asarray(shown)), census


def _call(function: Callable[[Path], Any], file: Path) -> Any:
    return function(file)


def _census(file: Path) -> Census:
    ratings = read_ratings(file)
    return Census(dict(zip(ratings.items, ratings.texts, strict=True)), float(ratings.rating.min()),
                  float(ratings.rating.max()), len(ratings.users), len(ratings.user), ratings.repeated)  # fmt: skip


def _counted(file: Path, *, items: list[str], scale: Scale) -> Counts:
    return count(_renumbered(read_ratings(file), items), scale)


def _shown(file: Path, *, items: list[str], scale: Scale, factors: Factors) -> np.ndarray:
    return exposures(strengths_matrix(_renumbered(read_ratings(file), items), scale), factors)


def _renumbered(ratings: Ratings, items: list[str]) -> Ratings:
    """The ratings with items numbered as in ``items``, which has them all."""
    number = {name: at for at, name in enumerate(items)}
    numbers = np.array([number[name] for name in ratings.items], np.int32)
    return replace(ratings, items=items, item=numbers[ratings.item], texts=[])
