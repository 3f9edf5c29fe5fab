"""A synthetic catalogue with a collaborative part, and what a household did with it, for benchmarks/recommend.py."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.synthetic import write_catalog
from benchmarks.timing import Work
from edge.catalog.snapshot import open_snapshot
from edge.context import unit
from edge.recommend.collaborative import MAX_NEIGHBOURS
from edge.recommend.event import EVENTS, Event
from edge.recommend.feature_names import NAMES
from edge.recommend.ranker import Hidden, Ranker

if TYPE_CHECKING:
    from export.collaborative.model import CollaborativeModel
    from export.collaborative.neighbours import NeighbourTable

ITEMS = 100_000
DIMENSION = 64
METHODS = ("content", "ease", "als")
HIDDEN = 4 * 32
"""Of the size that export/training/ranking.py trains: four networks of 32 units side by side."""


def write(folder: Path, method: str, items: int = ITEMS) -> None:
    """A synthetic snapshot. Raises ImportError where the method needs packages of the exporter that are missing."""
    if method == "content":
        write_catalog(folder, items)
        return
    from export.collaborative.snapshot import add_to_snapshot

    write_catalog(folder, items)
    with open_snapshot(folder) as snapshot:
        ids = [item.item for item in snapshot.items.by_rows(list(range(items)))]
    add_to_snapshot(folder, _model(np.random.default_rng(items), items, method), ids)


def event(number: int, *, prefix: str = "new") -> Event:
    random = np.random.default_rng([number, len(prefix)])
    kind = EVENTS[int(random.integers(0, len(EVENTS) - 1))]
    item = f"track:synthetic-music-1.0/{int(random.integers(0, ITEMS)):08d}.ogg"
    return Event(f"{prefix} {number}", "anna", item, kind, 30.0 if kind == "dwell" else None, 1.7e9 + 600 * number)


def ranker() -> Ranker:
    random, width = np.random.default_rng(0), len(NAMES)

    def draw(*shape: int) -> np.ndarray:
        return random.standard_normal(shape, np.float32)

    hidden = Hidden(draw(width, HIDDEN) / width, draw(HIDDEN), draw(HIDDEN) / HIDDEN)
    return Ranker(draw(width), 0.0, np.zeros(width, np.float32), np.ones(width, np.float32), hidden)


def implicit_als(played: int) -> Work:
    """implicit's ALS with factors like those of ``write``: a user's ``played`` items folded in, ten ids given back."""
    import scipy.sparse
    from implicit.cpu.als import AlternatingLeastSquares

    random = np.random.default_rng(0)
    model = AlternatingLeastSquares(factors=DIMENSION, regularization=10.0, alpha=10.0, num_threads=1)
    model.item_factors = unit(random.standard_normal((ITEMS, DIMENSION), np.float32))
    model.user_factors = np.zeros((1, DIMENSION), np.float32)
    items = random.choice(ITEMS, played, replace=False)
    row = scipy.sparse.csr_matrix((np.ones(played, np.float32), (np.zeros(played, int), items)), shape=(1, ITEMS))
    return lambda: model.recommend(0, row, N=10, recalculate_user=True)


def _model(random: np.random.Generator, items: int, method: str) -> "CollaborativeModel":
    from export.collaborative.factors import Factors
    from export.collaborative.model import CollaborativeModel

    directions = unit(random.standard_normal((items, DIMENSION), np.float32))
    ones = np.ones(items, np.float32)
    spectrum = np.linspace(1, 0.1, DIMENSION, dtype=np.float32) if method == "ease" else directions.T @ directions
    return CollaborativeModel(
        factors=Factors(method, directions, ones, ones, spectrum, regularization=10.0, alpha=10.0),
        plays=np.ones(items, np.int64), neighbours=_table(random, items), followers=_table(random, items),
        popularity=random.random(items, np.float32), liked=random.random(items, np.float32),
        exposure=random.random(items, np.float32))  # fmt: skip


def _table(random: np.random.Generator, items: int) -> "NeighbourTable":
    from export.collaborative.neighbours import NeighbourTable

    shape = (items, MAX_NEIGHBOURS)
    weights = random.integers(1, 128, shape, np.int8)
    return NeighbourTable(random.integers(0, items, shape, np.int32), weights, np.full(items, 0.3, np.float32))
