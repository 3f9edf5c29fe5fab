"""Who plays what together, learned on the host from ratings and used on the device with the user's own history.

Written into the snapshot by export/collaborative/. The view ``collaborative`` holds each item's direction among the
factors; beside it lie

- ``collaborative.json``: {"format": 1, "method": "ease" | "als", "neighbours": 50, "regularization": ..., "alpha": ...}
- ``collaborative.items.npy`` float32 (len(ITEM_COLUMNS), items): what turns directions into factors, how popular
  an item is;
- ``collaborative.fold.npy``: the spectrum (d,) of the ``ease`` factors, or Y'Y (d, d) of the ``als`` factors;
- for ``neighbours`` (liked by the same people) and ``followers`` (played soon after) each: ``NAME.rows.npy`` int32
  and ``NAME.weights.npy`` int8 (items, neighbours): the rows of an item's neighbours and their weights, 5 bytes each.
"""

import json
from collections.abc import Sequence

import numpy as np

from edge import manifest
from edge.catalog.arrays import open_array
from edge.catalog.index import CHUNK_ROWS, best_of
from edge.catalog.snapshot import Snapshot
from edge.catalog.view import View
from edge.errors import SnapshotError
from edge.recommend.fold_in import least_squares, weighted_sum
from edge.recommend.neighbours import Neighbours
from edge.recommend.parts import listed

VIEW = "collaborative"
FORMAT_VERSION = 1
METHODS = ("ease", "als")
MAX_NEIGHBOURS = 50
DESCRIPTION_FILE, ITEMS_FILE, FOLD_FILE = f"{VIEW}.json", f"{VIEW}.items.npy", f"{VIEW}.fold.npy"
TABLES = ("neighbours", "followers")
ITEM_COLUMNS = (
    "scale",  # length of the item's factors
    "fold",  # by how much more the item counts in a user's factors (ease)
    "neighbours",  # scale of the item's weights in this table (neighbours.py)
    "followers",  # likewise
    "popularity",  # 0 to 1
    "liked",  # 0 to 1: the share of those who played it who liked it
    "exposure",  # 0 to 1, log scale: how often an unbounded order shows it
)


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
        columns = np.array(open_array(folder / ITEMS_FILE, np.float32, (len(ITEM_COLUMNS), items)))
        self.items = dict(zip(ITEM_COLUMNS, columns, strict=True))
        """ITEM_COLUMNS, each float32 (items,)."""
        self._fold = np.array(open_array(folder / FOLD_FILE, np.float32, (d,) if self.method == "ease" else (d, d)))
        self._stored = open_array(folder / f"{VIEW}.vectors.npy", np.int8, (self._view.size, d))
        self._rows = open_array(folder / f"{VIEW}.rows.npy", np.int32, (self._view.size,))
        self._places = open_array(folder / f"{VIEW}.places.npy", np.int32, (items,))
        self._complete = self._view.size == items
        self._floats = np.empty((min(self._view.size, CHUNK_ROWS), d), np.float32)
        self._inverse = _inverse(self._stored)
        self._lengths = self.items["scale"][self._rows] * self._inverse
        self.neighbours, self.followers = (
            Neighbours(
                open_array(folder / f"{name}.rows.npy", np.int32, (items, width)),
                open_array(folder / f"{name}.weights.npy", np.int8, (items, width)),
                self.items[name],
                name=str(folder / f"{name}.rows.npy"),
            )
            for name in TABLES
        )

    def user(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
        """The user's factors: fold in items ``rows`` (n,) by ``weights`` (n,).

        Returns float32 (d,); None when none of the items has factors.
        """
        known = self._places[rows] >= 0
        if not known.any():
            return None
        rows, weights = rows[known], weights[known]
        places = self._places[rows]
        stored = self._stored[places].astype(np.float32)
        if self.method == "ease":
            return self._fold * weighted_sum(stored, weights * self.items["fold"][rows] * self._inverse[places])
        factors = stored * self._lengths[places][:, np.newaxis]
        return least_squares(factors, self._alpha * weights, self._fold, regularization=self._regularization)

    def scores(self, user: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """How much a user of these factors wants each item of ``rows``: float32 (n,), any scale."""
        places = self._places[rows]
        return (self._stored[places].astype(np.float32) @ user) * self._lengths[places] * (places >= 0)

    def best(self, users: Sequence[np.ndarray], k: int, allowed: np.ndarray) -> list[np.ndarray]:
        """For each of the users' factors the rows of the k items wanted most, int32, best first.

        ``allowed`` is bool (items,). The vectors are read once for all users.
        """
        if not users:
            return []
        scores, barred = self._scan(np.stack(users)), ~(allowed if self._complete else allowed[self._rows])
        found = []
        for line in scores:
            np.copyto(line, -np.inf, where=barred)
            top = best_of(line, k)
            found.append(self._rows[top[line[top] > -np.inf]].astype(np.int32))
        return found

    def _scan(self, users: np.ndarray) -> np.ndarray:
        """The products of users (n, d) with every item's factors: float32 (n, view's size)."""
        queries = np.ascontiguousarray(users.T, np.float32)
        scores = np.empty((len(users), self._view.size), np.float32)
        for start in range(0, len(self._stored), CHUNK_ROWS):
            part = self._stored[start : start + CHUNK_ROWS]
            floats = self._floats[: len(part)]
            np.copyto(floats, part)
            found = slice(start, start + len(part))
            np.multiply((floats @ queries).T, self._lengths[found], out=scores[:, found])
        return scores


def _inverse(stored: np.ndarray) -> np.ndarray:
    """What makes a stored direction one of length 1: float32 (n,)."""
    norms = np.sqrt(np.einsum("nd,nd->n", stored, stored, dtype=np.float32))
    return (1 / np.maximum(norms, 1e-6)).astype(np.float32)


def open_collaborative(snapshot: Snapshot) -> Collaborative | None:
    """The snapshot's collaborative part, None when it has none. Raises SnapshotError."""
    return Collaborative(snapshot) if VIEW in snapshot.views else None


def _description(snapshot: Snapshot) -> manifest.Fields:
    """The description, once it is sure that every file was among those that were verified."""
    folder = snapshot.path
    there = listed(snapshot)
    tables = (f"{name}.{part}.npy" for name in TABLES for part in ("rows", "weights"))
    for name in (DESCRIPTION_FILE, ITEMS_FILE, FOLD_FILE, *tables):
        if name not in there:
            raise SnapshotError(f"{folder}: it has a {VIEW} view, but its manifest does not list {name}")
    path = folder / DESCRIPTION_FILE
    try:
        fields = manifest.Fields(json.loads(path.read_text(encoding="utf-8")), str(path), SnapshotError)
    except (OSError, ValueError, RecursionError) as error:
        raise SnapshotError(f"{path}: cannot be read: {error!s:.120}") from error
    fields.integer("format", FORMAT_VERSION, FORMAT_VERSION)
    return fields
