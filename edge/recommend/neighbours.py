"""A few weighted neighbours for every item: which items draw which others in."""

import numpy as np

from edge.errors import SnapshotError


class Neighbours:
    """Memory-mapped, 5 bytes a neighbour."""

    def __init__(self, rows: np.ndarray, weights: np.ndarray, scale: np.ndarray, *, name: str):
        """``rows`` int32 and ``weights`` int8 (items, k), ``scale`` float32 (items,): the real weight of a neighbour
        is its stored one times scale / 127. Raises SnapshotError, naming ``name``, for a row that there is not."""
        items, width = rows.shape
        if width and items and not 0 <= rows.min() <= rows.max() < items:
            raise SnapshotError(f"{name}: its rows must lie in 0 to {items - 1}; build the catalogue again")
        self._rows, self._weights, self._scale = rows, weights, scale

    def scores(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The sum over items ``rows`` (n,), by ``weights`` (n,), of their neighbours' weights: float32 (items,)."""
        amounts = self._weights[rows] * (weights * self._scale[rows] / 127.0)[:, np.newaxis]
        return np.bincount(self._rows[rows].ravel(), amounts.ravel(), len(self._rows)).astype(np.float32)

    def pull(self, rows: np.ndarray, weights: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """How much each of the items ``rows`` (n,), by ``weights``, draws the different ``targets`` (m,) in: float32
        (m, n)."""
        place = np.full(len(self._rows), -1, np.int16)
        place[targets] = np.arange(len(targets))
        at = place[self._rows[rows]]
        source, column = np.nonzero(at >= 0)
        drawn = np.zeros((len(targets), len(rows)), np.float32)
        np.add.at(drawn, (at[source, column], source), self._weights[rows[source], column])
        return drawn * (weights * self._scale[rows] / 127.0).astype(np.float32)
