"""A view: the vectors of a catalogue in one space, searched by cosine.

Vectors are unit vectors times 127 as int8, memory-mapped. A small view is searched exactly, chunk by chunk through
one float32 buffer; a large one through a faiss index (inverted lists, 8-bit scalar quantiser), memory-mapped too.
"""

from pathlib import Path
from typing import Any

import numpy as np

from edge.catalog.arrays import check_rows, open_array
from edge.context import unit
from edge.errors import RuntimeMissingError, ShapeError, SnapshotError

SCALE = 127.0
CHUNK_ROWS = 8192
PROBES = 16
"""Inverted lists that a search looks into."""


class Vectors:
    """int8 vectors (n, d) and the item row of each, ascending; what every view is made of."""

    def __init__(self, folder: Path, name: str, count: int, dimension: int, items: int):
        self.dimension, self.count = dimension, count
        self.stored = open_array(folder / f"{name}.vectors.npy", np.int8, (count, dimension))
        self.rows = np.array(open_array(folder / f"{name}.rows.npy", np.int32, (count,)))
        check_rows(folder / f"{name}.rows.npy", self.rows, items)
        self._buffer = np.empty((min(count, CHUNK_ROWS), dimension), np.float32)

    def cosines(self, queries: np.ndarray) -> np.ndarray:
        """float32 (q, d) -> cosine with every vector, float32 (q, n)."""
        if queries.ndim != 2 or queries.shape[1] != self.dimension:
            raise ShapeError(f"queries of shape {queries.shape}: this view takes (n, {self.dimension})")
        scores = np.empty((len(queries), self.count), np.float32)
        scaled = unit(queries) / np.float32(SCALE)
        for start in range(0, self.count, CHUNK_ROWS):
            part = self._buffer[: min(CHUNK_ROWS, self.count - start)]
            part[:] = self.stored[start : start + len(part)]
            np.matmul(scaled, part.T, out=scores[:, start : start + len(part)])
        return scores


class View:
    """One vector per item; an item may lack one."""

    def __init__(self, vectors: Vectors, *, name: str, space: str, index: Any = None):
        self.name, self.space, self._vectors, self._index = name, space, vectors, index
        self.dimension, self.size = vectors.dimension, vectors.count

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
        """
        if self._index is not None:
            return self._search_index(query, k, allowed)
        scores = self._vectors.cosines(query[np.newaxis])[0]
        rows = self._vectors.rows
        if allowed is not None:
            keep = allowed[rows]
            rows, scores = rows[keep], scores[keep]
        best = best_of(scores, k)
        return rows[best], scores[best]

    def _search_index(self, query: np.ndarray, k: int, allowed: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        import faiss

        parameters = faiss.SearchParametersIVF(nprobe=PROBES)
        if allowed is not None:
            members = np.packbits(allowed[self._vectors.rows], bitorder="little")
            selector = faiss.IDSelectorBitmap(members)
            parameters = faiss.SearchParametersIVF(nprobe=PROBES, sel=selector)
        scores, positions = self._index.search(unit(query[np.newaxis]), k, params=parameters)
        found = positions[0] >= 0
        return self._vectors.rows[positions[0][found]], scores[0][found].astype(np.float32)

    def cosines(self, query: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Every item of the view: rows int32 (size,), ascending, and cosines with ``query`` (d,), float32 (size,)."""
        return self._vectors.rows, self._vectors.cosines(query[np.newaxis])[0]

    def vectors(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The unit vectors of many items: float32 (n, d), zeros where the view has none, and bool (n,): it has one."""
        at = np.minimum(np.searchsorted(self._vectors.rows, rows), max(0, self.size - 1))
        known = self._vectors.rows[at] == rows if self.size else np.zeros(len(rows), bool)
        found = np.zeros((len(rows), self.dimension), np.float32)
        found[known] = unit(self._vectors.stored[at[known]].astype(np.float32))
        return found, known

    def vector(self, row: int) -> np.ndarray | None:
        """The unit vector of an item, float32 (d,), None when the view has none."""
        at = int(np.searchsorted(self._vectors.rows, row))
        if at == self.size or self._vectors.rows[at] != row:
            return None
        return unit(self._vectors.stored[at].astype(np.float32))


class RecordingView:
    """Several vectors per item, one for each window of the recording: says which recording is heard."""

    def __init__(self, vectors: Vectors, *, name: str, space: str):
        self.name, self.space, self._vectors = name, space, vectors
        self.dimension, self.size = vectors.dimension, vectors.count
        self._items, self._starts = np.unique(vectors.rows, return_index=True)

    def match(self, windows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k recordings that the heard windows fit best.

        ``windows``: np.ndarray [shape=(n, d)], n >= 1. Returns rows int32 and scores float32, best first: the mean
        over heard windows of the cosine with the recording's best window.
        """
        if not len(self._items) or not len(windows):
            return np.empty(0, np.int32), np.empty(0, np.float32)
        best = np.maximum.reduceat(self._vectors.cosines(np.asarray(windows)), self._starts, axis=1).mean(axis=0)
        order = best_of(best, k)
        return self._items[order].astype(np.int32), best[order].astype(np.float32)


def best_of(scores: np.ndarray, k: int) -> np.ndarray:
    """Positions of the k highest, best first; equal scores in their own order."""
    if k < len(scores):
        cut = np.partition(scores, len(scores) - k)[len(scores) - k]
        candidates = np.flatnonzero(scores >= cut)
    else:
        candidates = np.arange(len(scores))
    return candidates[np.argsort(-scores[candidates], kind="stable")][:k]


def open_index(path: Path, count: int, dimension: int) -> Any:
    """A memory-mapped faiss index. Raises SnapshotError when it is not the one that the manifest announces."""
    try:
        import faiss
    except ImportError as error:
        raise RuntimeMissingError("faiss is not installed and this catalogue needs it; pip install faiss-cpu") from error
    faiss.omp_set_num_threads(1)
    try:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:
        raise SnapshotError(f"{path}: not a faiss index: {str(error)[:120]}") from error
    if index.ntotal != count or index.d != dimension:
        raise SnapshotError(f"{path}: holds {index.ntotal} x {index.d}, not {count} x {dimension}")
    return index
