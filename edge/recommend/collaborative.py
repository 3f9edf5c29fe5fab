"""Who plays what together, learned on the host from ratings and used on the device with the user's own history.

Written into the snapshot by export/collaborative/. The view ``collaborative`` holds each item's direction among the
factors; beside it lie

- ``collaborative.json``: {"format": 1, "method": "ease" | "als", "neighbours": 50, "regularization": ..., "alpha": ...}
- ``collaborative.items.npy`` (items,) of ITEM: what turns directions into factors, and how popular an item is;
- ``collaborative.fold.npy``: the spectrum (d,) of the ``ease`` factors, or Y'Y (d, d) of the ``als`` factors;
- ``collaborative.neighbours.npy`` (items, neighbours) of NEIGHBOUR, 5 bytes each: an item's neighbours and weights.
"""

import json

import numpy as np

from edge import manifest
from edge.catalog.arrays import open_array
from edge.catalog.snapshot import Snapshot
from edge.catalog.view import View
from edge.errors import SnapshotError
from edge.recommend.fold_in import least_squares, weighted_sum

VIEW = "collaborative"
FORMAT_VERSION = 1
METHODS = ("ease", "als")
MAX_NEIGHBOURS = 50
DESCRIPTION_FILE, ITEMS_FILE = "collaborative.json", "collaborative.items.npy"
FOLD_FILE, NEIGHBOURS_FILE = "collaborative.fold.npy", "collaborative.neighbours.npy"
ITEM = np.dtype(
    [
        ("scale", "<f4"),  # length of the item's factors
        ("fold", "<f4"),  # by how much more the item counts in a user's factors (ease)
        ("neighbour", "<f4"),  # real weight of a neighbour = stored weight * this / 127
        ("popularity", "<f4"),  # 0 to 1
        ("exposure", "<f4"),  # 0 to 1: how often an unbounded order shows it, on a log scale
    ]
)
NEIGHBOUR = np.dtype([("row", "<u4"), ("weight", "i1")])


class Collaborative:
    """The collaborative part of an open snapshot."""

    def __init__(self, snapshot: Snapshot):
        """Raises SnapshotError, naming the file, when a part is missing or not what it should be."""
        folder, items = snapshot.path, len(snapshot.items)
        self._view: View = snapshot.views[VIEW]
        fields = _description(snapshot)
        self.method = fields.text("method")
        if self.method not in METHODS:
            raise SnapshotError(f"{folder / DESCRIPTION_FILE}: method {self.method!r:.80} must be one of {METHODS}")
        self._regularization, self._alpha = fields.number("regularization"), fields.number("alpha")
        width, d = fields.integer("neighbours", 0, MAX_NEIGHBOURS), self._view.dimension
        self.items = open_array(folder / ITEMS_FILE, ITEM, (items,))
        self._fold = np.array(open_array(folder / FOLD_FILE, np.float32, (d,) if self.method == "ease" else (d, d)))
        self._neighbours = open_array(folder / NEIGHBOURS_FILE, NEIGHBOUR, (items, width))
        self._size = items

    def user(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
        """The user's factors: fold in items ``rows`` (n,) by ``weights`` (n,).

        Returns float32 (d,); None when none of the items has factors.
        """
        directions, known = self._view.vectors(rows)
        if not known.any():
            return None
        items = self.items[rows]
        if self.method == "ease":
            return self._fold * weighted_sum(directions, weights * items["fold"])
        factors = directions * items["scale"][:, np.newaxis]
        confidence = self._alpha * weights[known]
        return least_squares(factors[known], confidence, self._fold, regularization=self._regularization)

    def scores(self, user: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """How much a user of these factors wants each item of ``rows``: float32 (n,), any scale."""
        return (self._view.vectors(rows)[0] @ user) * self.items["scale"][rows]

    def best(self, user: np.ndarray, k: int, allowed: np.ndarray) -> np.ndarray:
        """The rows of the k items that the user wants most, int32, best first; ``allowed`` is bool (items,)."""
        rows, cosines = self._view.cosines(user)
        scores = np.where(allowed[rows], cosines * self.items["scale"][rows], -np.inf)
        k = min(k, len(rows))
        top = np.argpartition(-scores, k - 1)[:k] if k else np.empty(0, np.int64)
        top = top[np.argsort(-scores[top], kind="stable")]
        return rows[top[np.isfinite(scores[top])]]

    def neighbour_scores(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The sum over items ``rows`` (n,), by ``weights`` (n,), of their neighbours' weights: float32 (items,)."""
        found = self._neighbours[rows]
        amounts = found["weight"] * (weights * self.items["neighbour"][rows] / 127.0)[:, np.newaxis]
        return np.bincount(found["row"].ravel(), amounts.ravel(), self._size)[: self._size].astype(np.float32)

    def pull(self, rows: np.ndarray, weights: np.ndarray, target: int) -> np.ndarray:
        """How much each of the items ``rows`` draws ``target`` in as its neighbour: float32 (n,)."""
        found = self._neighbours[rows]
        stored = np.where(found["row"] == target, found["weight"], 0).sum(axis=1)
        return (stored * weights * self.items["neighbour"][rows] / 127.0).astype(np.float32)


def open_collaborative(snapshot: Snapshot) -> Collaborative | None:
    """The snapshot's collaborative part, None when it has none. Raises SnapshotError."""
    return Collaborative(snapshot) if VIEW in snapshot.views else None


def _description(snapshot: Snapshot) -> manifest.Fields:
    """The description, once it is sure that every file was among those that were verified."""
    folder = snapshot.path
    for name in (DESCRIPTION_FILE, ITEMS_FILE, FOLD_FILE, NEIGHBOURS_FILE):
        if name not in snapshot.files:
            raise SnapshotError(f"{folder}: it has a {VIEW} view, but its manifest does not list {name}")
    path = folder / DESCRIPTION_FILE
    try:
        fields = manifest.Fields(json.loads(path.read_text(encoding="utf-8")), str(path), SnapshotError)
    except (OSError, ValueError, RecursionError) as error:
        raise SnapshotError(f"{path}: cannot be read: {error!s:.120}") from error
    fields.integer("format", FORMAT_VERSION, FORMAT_VERSION)
    return fields
