"""Nearest neighbours among many vectors: faiss's inverted lists with 8 bits a dimension, memory-mapped.

The vectors are sorted into lists by the nearest of some thousand centroids; a search looks into the lists whose
centroids are nearest to the query (Jegou et al., 2011, without the product quantiser). Lists that no query looks
into never come into memory.
"""

from pathlib import Path
from typing import Any

import numpy as np

from edge.catalog.index import SCALE, ExactIndex, Found, scaled_query
from edge.errors import RuntimeMissingError, SnapshotError

LOWEST, STEPS = -128.5 / SCALE, 255 / SCALE
"""Of faiss's uniform 8-bit quantiser: with these its codes are the stored int8 values, and its scores the cosines."""
EXACT_COST = 4
"""One vector picked out of the array costs as much as so many in a list."""


class IvfIndex:
    """The same answers as ExactIndex gives, but for the few neighbours that lie in lists not looked into."""

    def __init__(self, path: Path, stored: np.ndarray, *, probes: int):
        """``probes``: lists a search looks into, as the writer found enough.

        Raises SnapshotError when the file is not the index of these vectors, RuntimeMissingError without faiss.
        """
        self._faiss, self._path, self._stored = faiss_library(path), path, stored
        self._index = _open(self._faiss, path, stored.shape)
        self._exact = ExactIndex(stored)
        self._probes = min(probes, self._index.nlist)

    def search(self, query: np.ndarray, k: int, allowed: np.ndarray | None = None) -> Found:
        query = scaled_query(query, self._stored.shape[1]) * np.float32(SCALE)
        if k < 1:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        if allowed is None:
            return self._nearest(query, k, self._probes, None)
        share = float(np.count_nonzero(allowed)) / len(self._stored)
        probes = self._probes / max(share, 1e-9) ** 0.5  # half the items gone at random: recall stays, time is 1.4 x
        if share * EXACT_COST * self._index.nlist <= probes:
            return self._exact.search(query, k, allowed)
        return self._nearest(query, k, min(int(probes), self._index.nlist), np.packbits(allowed, bitorder="little"))

    def _nearest(self, query: np.ndarray, k: int, probes: int, bitmap: np.ndarray | None) -> Found:
        selector = None if bitmap is None else self._faiss.IDSelectorBitmap(bitmap)
        parameters = self._faiss.SearchParametersIVF(nprobe=probes, sel=selector)
        try:
            scores, found = self._index.search(query[np.newaxis], min(k, len(self._stored)), params=parameters)
        except RuntimeError as error:
            raise SnapshotError(f"{self._path}: cannot be searched: {str(error)[:120]}") from error
        there = found[0] >= 0  # faiss fills up with -1 what it did not find
        positions, scores = found[0][there], scores[0][there]
        if len(positions) and positions.max() >= len(self._stored):
            raise SnapshotError(f"{self._path}: names a vector that there is not; build the catalogue again")
        order = np.lexsort((positions, -scores))
        return positions[order], scores[order]


def faiss_library(path: Path) -> Any:
    """The faiss module, on one thread. Raises RuntimeMissingError when it is not installed."""
    try:
        import faiss
    except ImportError as error:
        raise RuntimeMissingError(f"{path} needs faiss, which is not installed; pip install faiss-cpu") from error
    faiss.omp_set_num_threads(1)
    return faiss


def _open(faiss: Any, path: Path, shape: tuple[int, ...]) -> Any:
    if hasattr(faiss, "set_deserialization_vector_byte_limit"):  # no array in a file is longer than the file
        faiss.set_deserialization_vector_byte_limit(path.stat().st_size)
    try:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except (RuntimeError, MemoryError) as error:
        raise SnapshotError(f"{path}: not a faiss index: {str(error)[:120]}; build the catalogue again") from error
    if not isinstance(index, faiss.IndexIVFScalarQuantizer) or (index.ntotal, index.d) != shape or not _as_built(
            faiss, index):
        raise SnapshotError(f"{path}: not the index of {shape[0]} x {shape[1]} vectors; build the catalogue again")
    return index


def set_quantizer(faiss: Any, index: Any) -> None:
    """Make the codes of an empty index the stored int8 values, for vectors divided by 127."""
    faiss.copy_array_to_vector(np.array([LOWEST, STEPS], np.float32), index.sq.trained)
    index.by_residual, index.is_trained = False, True


def _as_built(faiss: Any, index: Any) -> bool:
    trained = faiss.vector_to_array(index.sq.trained)
    return (index.metric_type == faiss.METRIC_INNER_PRODUCT and not index.by_residual and index.is_trained
            and index.sq.qtype == faiss.ScalarQuantizer.QT_8bit_uniform
            and np.array_equal(trained, np.array([LOWEST, STEPS], np.float32)))
