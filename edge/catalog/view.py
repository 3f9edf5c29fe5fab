"""A view: one vector for each item that has one, in one space, searched by cosine."""

import numpy as np

from edge.catalog.index import Index
from edge.context import unit


class View:
    """Used by one thread at a time, as its index is."""

    def __init__(self, stored: np.ndarray, rows: np.ndarray, index: Index, *, name: str, space: str, items: int):
        """``stored``: int8 (n, d), unit vectors times 127; ``rows``: int32 (n,), the item row of each, ascending."""
        self.name, self.space = name, space
        self.size, self.dimension = stored.shape
        self._stored, self._rows, self._index = stored, rows, index
        self._complete = self.size == items

    def search(self, query: np.ndarray, k: int, *, allowed: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest items.

        Parameters
        ----------
        query : np.ndarray [shape=(d,)]
        allowed : np.ndarray [shape=(items,), dtype=bool], optional
            Which items may be found; filtered before the cut.

        Returns
        -------
        rows : np.ndarray [shape=(<= k,), dtype=int32]
        scores : np.ndarray [shape=(<= k,), dtype=float32, range -1..1]
            Cosines, best first.

        Raises ShapeError for a query of another shape or one that is not finite.
        """
        if allowed is not None and not self._complete:
            allowed = allowed[self._rows]
        positions, scores = self._index.search(query, k, allowed)
        return self._rows[positions], scores

    def vector(self, row: int) -> np.ndarray | None:
        """The unit vector of an item, float32 (d,); None when the view has none."""
        at = int(np.searchsorted(self._rows, row))
        if at == self.size or self._rows[at] != row:
            return None
        return unit(self._stored[at].astype(np.float32))

    def vectors(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The unit vectors of many items, and which of them the view has.

        np.ndarray [shape=(n,), dtype=int] -> float32 (n, d), zeros where there is none, and bool (n,).
        """
        if self.size == 0:
            return np.zeros((len(rows), self.dimension), np.float32), np.zeros(len(rows), bool)
        if self._complete:
            return unit(self._stored[rows].astype(np.float32)), np.ones(len(rows), bool)
        at = np.minimum(np.searchsorted(self._rows, rows), self.size - 1)
        known = self._rows[at] == rows
        return unit(self._stored[at].astype(np.float32)) * known[:, np.newaxis], known
