"""A view: one vector for each item that has one, in one space, searched by cosine."""

import numpy as np

from edge.catalog.index import Index
from edge.context import unit


class View:
    """Used by one thread at a time, as its index is."""

    def __init__(self, stored: np.ndarray, places: np.ndarray, index: Index, *, name: str, space: str,
                 size: int | None = None):
        """``stored``: int8 (n, d), unit vectors times 127; ``places``: int32 (items,), where the vector of each item
        lies in it, -1 where there is none; ``index``: of the same vectors, their labels the items' rows; ``size``: how
        many items have one, where some lie in ``stored`` twice.
        """
        self.name, self.space = name, space
        self.size, self.dimension = len(stored) if size is None else size, stored.shape[1]
        self._stored, self._places, self._index = stored, places, index

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
        return self._index.search(query, k, allowed)

    @property
    def members(self) -> np.ndarray:
        """Which of the catalogue's items it has a vector of: bool (items,)."""
        return self._places >= 0

    def vector(self, row: int) -> np.ndarray | None:
        """The unit vector of an item, float32 (d,); None when the view has none."""
        if not 0 <= row < len(self._places) or self._places[row] < 0:
            return None
        return unit(self._stored[self._places[row]].astype(np.float32))

    def vectors(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The unit vectors of many items, and which of them the view has.

        np.ndarray [shape=(n,), dtype=int], rows of the catalogue -> float32 (n, d), zeros where there is none, and
        bool (n,).
        """
        places = self._places[rows]
        known = places >= 0
        if self.size == 0:
            return np.zeros((len(rows), self.dimension), np.float32), known
        return unit(self._stored[places].astype(np.float32)) * known[:, np.newaxis], known
