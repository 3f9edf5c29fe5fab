"""What does a search cost and find, by size of the view, exactly and through inverted lists?"""

import tempfile
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import numpy as np

from benchmarks.report import Figure, Row
from benchmarks.timing import interleave
from edge.catalog.index import SCALE, ExactIndex, Index
from edge.catalog.ivf import IvfIndex
from edge.catalog.snapshot import open_snapshot
from edge.context import unit
from edge.firmware import FirmwareProfile
from export.catalog import inverted_lists
from export.catalog.vectors import as_stored
from export.catalog.writer import IVF_FROM_VECTORS

SIZES = (1_000, 10_000, 100_000, 1_000_000)
NEIGHBOURS = 10
QUERIES = 100
SHARES_ALLOWED = (0.5, 0.01)
Search = Callable[[np.ndarray], np.ndarray]
"""A query, float32 (d,), to the positions found."""


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """Vectors are drawn with the covariance of the default catalogue's audio view, queries between two of them.

    ``recall`` is the share of the ten nearest, by exact search over the same int8 vectors, that were found. The figures
    set export.catalog.writer.IVF_FROM_VECTORS.
    """
    spread = spread_like_audio()
    rows: list[Row] = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            rows += _of_size(draw(spread, size), Path(folder) / "index.faiss", peers)
    return rows


def spread_like_audio() -> np.ndarray:
    """A matrix (d, d) that makes white noise vary like the default catalogue's audio view."""
    with open_snapshot() as snapshot:
        vectors, known = snapshot.views["audio"].vectors(np.arange(len(snapshot.items)))
    _, lengths, axes = np.linalg.svd(vectors[known], full_matrices=False)
    return (lengths[:, np.newaxis] * axes).astype(np.float32)


def draw(spread: np.ndarray, size: int) -> np.ndarray:
    """int8 vectors (size, d), made piece by piece."""
    random = np.random.default_rng(size)
    stored = np.empty((size, spread.shape[1]), np.int8)
    for start in range(0, size, 1 << 16):
        part = stored[start : start + (1 << 16)]
        part[:] = as_stored(unit(random.standard_normal((len(part), len(spread)), np.float32) @ spread))
    return stored


def _of_size(stored: np.ndarray, path: Path, peers: bool) -> Iterator[Row]:
    probes = inverted_lists.build(stored, path)
    exact, lists = ExactIndex(stored), IvfIndex(path, stored, probes=probes)
    queries = inverted_lists.between(stored, QUERIES)
    yield from _compared({"exact": _search(exact), f"IVF, {probes} probes": _search(lists),
                          **(_peers(stored) if peers else {})}, stored, queries, _search(exact))
    for share in SHARES_ALLOWED:
        allowed = np.random.default_rng(0).random(len(stored)) < share
        cases = {f"{name}, {share:.0%} allowed": _search(index, allowed)
                 for name, index in (("exact", exact), ("IVF", lists))}
        yield from _compared(cases, stored, queries, _search(exact, allowed))


def _search(index: Index, allowed: np.ndarray | None = None) -> Search:
    return lambda query: index.search(query, NEIGHBOURS, allowed)[0]


def _compared(cases: dict[str, Search], stored: np.ndarray, queries: np.ndarray, right: Search) -> Iterator[Row]:
    wanted = [set(right(query).tolist()) for query in queries]
    timings = interleave({name: _in_turn(search, queries) for name, search in cases.items()}, repeats=QUERIES)
    for name, search in cases.items():
        found = [len(set(search(query).tolist()) & best) for query, best in zip(queries, wanted, strict=True)]
        figures: dict[str, Figure] = {"recall": sum(found) / sum(map(len, wanted))}
        index = "IVF" if len(stored) >= IVF_FROM_VECTORS else "exact"
        note = "what a view of this size uses" if name.startswith(index) else ""
        yield Row(f"{len(stored):,}: {name}", timings[name].figures_ms() | figures, note=note)


def _in_turn(search: Search, queries: np.ndarray) -> Callable[[], object]:
    stream = cycle(queries)
    return lambda: search(next(stream))


def _peers(stored: np.ndarray) -> dict[str, Search]:
    """The usual ways to search the same vectors, as float32."""
    import faiss

    faiss.omp_set_num_threads(1)
    floats = stored.astype(np.float32) / np.float32(SCALE)
    flat = faiss.IndexFlatIP(floats.shape[1])
    flat.add(floats)
    return {
        "numpy float32": lambda query: np.argpartition(-(floats @ query), NEIGHBOURS)[:NEIGHBOURS],
        "faiss flat float32": lambda query: flat.search(query[np.newaxis], NEIGHBOURS)[1][0],
    }
