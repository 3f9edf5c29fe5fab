"""What does a search cost and find, by size of the view, exactly and through inverted lists?"""

import tempfile
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import numpy as np

from benchmarks.report import Figure, Row
from benchmarks.synthetic import audio_spectrum, draw
from benchmarks.timing import interleave
from edge.catalog.arrays import open_array
from edge.catalog.index import SCALE, ExactIndex, Index
from edge.catalog.ivf import NEIGHBOURS as MEASURED
from edge.catalog.ivf import IvfIndex
from edge.catalog.lists import open_lists
from edge.firmware import FirmwareProfile
from export.catalog import inverted_lists
from export.catalog.writer import IVF_FROM_VECTORS

SIZES = (1_000, 10_000, 20_000, 100_000, 1_000_000)
NEIGHBOURS = 10
QUERIES = 100
SHARES_ALLOWED = (0.5, 0.01)
Search = Callable[[np.ndarray], np.ndarray]
"""A query, float32 (d,), to the positions found."""


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """Vectors as benchmarks/synthetic.py says, queries between two of them; beside numpy over the same as float32.

    ``recall`` is the share of the ten nearest, by exact search over the same int8 vectors, that were found. The figures
    set export.catalog.writer.IVF_FROM_VECTORS, export.catalog.inverted_lists.TWICE_FROM_VECTORS and the constants of
    edge/catalog/ivf.py and export/catalog/clusters.py.
    """
    spectrum = audio_spectrum()
    rows: list[Row] = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            rows += _of_size(draw(spectrum, size), Path(folder))
    return rows


def _of_size(stored: np.ndarray, folder: Path) -> Iterator[Row]:
    exact, lists = ExactIndex(stored), index_of(stored, folder)
    queries = inverted_lists.between(stored, QUERIES, seed=2)  # others than those that set the number of lists
    floats = stored.astype(np.float32) / np.float32(SCALE)
    cases = {"numpy float32": lambda query: np.argpartition(-(floats @ query), NEIGHBOURS)[:NEIGHBOURS],
             "exact": _search(exact), "lists": _search(lists)}
    yield from _compared(cases, stored, queries, _search(exact))
    for share in SHARES_ALLOWED:
        allowed = np.random.default_rng(0).random(len(stored)) < share
        cases = {f"{name}, {share:.0%} allowed": _search(index, allowed)
                 for name, index in (("exact", exact), ("lists", lists))}
        yield from _compared(cases, stored, queries, _search(exact, allowed))


def index_of(stored: np.ndarray, folder: Path) -> IvfIndex:
    """The lists of vectors, as the exporter writes them, mapped as a device does."""
    made = inverted_lists.build(stored, np.arange(len(stored), dtype=np.int32), folder, "view",
                                twice=len(stored) >= inverted_lists.TWICE_FROM_VECTORS)
    lists = open_lists(lambda name, dtype, shape: open_array(folder / name, dtype, shape), "view",
                       (made["listed"], stored.shape[1]), lists=made["lists"], groups=made["groups"])
    places = np.empty(len(stored), np.int32)
    places[lists.labels] = np.arange(len(lists.labels))
    return IvfIndex(lists, probes={k: made["probes"][str(k)] for k in MEASURED}, places=places)


def _search(index: Index, allowed: np.ndarray | None = None) -> Search:
    return lambda query: index.search(query, NEIGHBOURS, allowed)[0]


def _compared(cases: dict[str, Search], stored: np.ndarray, queries: np.ndarray, right: Search) -> Iterator[Row]:
    wanted = [set(right(query).tolist()) for query in queries]
    timings = interleave({name: _in_turn(search, queries) for name, search in cases.items()}, repeats=QUERIES)
    for name, search in cases.items():
        found = [len(set(search(query).tolist()) & best) for query, best in zip(queries, wanted, strict=True)]
        figures: dict[str, Figure] = {"recall": sum(found) / sum(map(len, wanted))}
        index = "lists" if len(stored) >= IVF_FROM_VECTORS else "exact"
        note = "what a view of this size uses" if name.startswith(index) else ""
        yield Row(f"{len(stored):,}: {name}", timings[name].figures_ms() | figures, note=note)


def _in_turn(search: Search, queries: np.ndarray) -> Callable[[], object]:
    stream = cycle(queries)
    return lambda: search(next(stream))
