"""What does the view's search cost beside other libraries, at the same recall, at 100,000 and a million vectors?"""

import os
import tempfile
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import numpy as np

from benchmarks.nearest_peers import PEERS, Search
from benchmarks.process import run_python
from benchmarks.report import Figure, Row
from benchmarks.timing import Timing, interleave
from edge.catalog.index import SCALE
from edge.catalog.snapshot import open_snapshot
from edge.context import unit
from edge.firmware import FirmwareProfile

SIZES = (100_000, 1_000_000)
NEIGHBOURS = 10
QUERIES = 100
LEAST_RECALL = 0.95
OURS = "roomtone"
INDEXES_VARIABLE = "ROOMTONE_INDEXES"
"""A folder in which the peers' indexes are kept from run to run; at a million, they take minutes to build."""


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """Vectors as benchmarks/synthetic.py says, queries near items but none of them; one thread.

    ``recall``: the share of the ten highest inner products with the stored int8 vectors, which all are given, as
    float32, that were found; libraries with a setting for it get the cheapest that reaches .95 on other queries.
    sqlite-vec has no inner product, and ranks by the cosine, which differs by the rounding of a vector's length.
    ``slower`` is the median over Roomtone's: 1 is as fast, 3 three times slower, below 1 is what the other does better.
    ``build_s`` is with one thread.
    """
    return [row for size in SIZES for row in _of_size(size, peers)]


def _of_size(size: int, peers: bool) -> list[Row]:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "catalog"
        written = run_python("-m", "benchmarks.million", str(folder), str(size))
        with open_snapshot(folder) as snapshot:
            view = snapshot.views["audio"]
            vectors = np.rint(view.vectors(np.arange(size))[0] * np.float32(SCALE)) / np.float32(SCALE)
            tuning, asked = np.split(_queries(vectors, 2 * QUERIES), 2)
            settle, kept = _until(_nearest(vectors, tuning), tuning), Path(os.environ.get(INDEXES_VARIABLE, scratch))
            searches: dict[str, Search] = {OURS: lambda query: view.search(query, NEIGHBOURS)[0]}
            figures: dict[str, dict[str, Figure]] = {OURS: {"build_s": written.wall_s}}
            for name, make in PEERS.items() if peers else ():
                try:
                    searches[name], figures[name] = make(vectors, settle, kept)
                except ImportError as error:
                    rows.append(Row(f"{size:,}: {name}", {"median_ms": None}, note=_how(error)))
            timings = interleave({name: _in_turn(search, asked) for name, search in searches.items()}, repeats=QUERIES)
            right = _nearest(vectors, asked)
            found = [_row(f"{size:,}: {name}", timings[name], timings[OURS].median_s,
                          {"recall": _recall(search, asked, right), **figures[name]})
                     for name, search in searches.items()]
    return found + rows


def _row(name: str, timing: Timing, ours_s: float, figures: dict[str, Figure]) -> Row:
    return Row(name, timing.figures_ms() | {"slower": timing.median_s / ours_s} | figures)


def _how(error: ImportError) -> str:
    return f"needs {error.name}: pip install 'roomtone[bench]'"


def _queries(vectors: np.ndarray, number: int) -> np.ndarray:
    """Near items but none of them: each some way from one item to another. float32 (number, d).

    They are not those by which the writer measures how many lists are enough (export/catalog/inverted_lists.py).
    """
    first, second = np.random.default_rng(4).integers(0, len(vectors), (2, number))
    return unit(vectors[first] + np.float32(0.5) * vectors[second])


def _nearest(vectors: np.ndarray, queries: np.ndarray) -> list[set[int]]:
    scores = (vectors @ query for query in queries)
    return [set(np.argpartition(-score, NEIGHBOURS)[:NEIGHBOURS].tolist()) for score in scores]


def _recall(search: Search, queries: np.ndarray, right: list[set[int]]) -> float:
    found = [len(set(np.asarray(search(query)).tolist()) & best) for query, best in zip(queries, right, strict=True)]
    return sum(found) / (NEIGHBOURS * len(queries))


def _until(right: list[set[int]], queries: np.ndarray) -> Callable[[Callable[[int], Search]], int]:
    """Finds the smallest of the doubling settings, then of the steps between, with which a search finds enough."""

    def settle(with_setting: Callable[[int], Search]) -> int:
        def enough(setting: int) -> bool:
            return _recall(with_setting(setting), queries, right) >= LEAST_RECALL

        high = next((setting for setting in (16, 32, 64, 128, 256, 512, 1024) if enough(setting)), 1024)
        between = range(high * 5 // 8, high, max(1, high // 8))
        return next((setting for setting in between if enough(setting)), high)

    return settle


def _in_turn(search: Search, queries: np.ndarray) -> Callable[[], object]:
    stream = cycle(queries)
    return lambda: search(next(stream))
