"""Build the index of a large view (edge/catalog/ivf.py), and measure how many lists a search must look into."""

from pathlib import Path
from typing import Any

import numpy as np

from edge.catalog.index import SCALE, ExactIndex
from edge.catalog.ivf import IvfIndex, faiss_library, set_quantizer
from edge.context import unit

LISTS_PER_ROOT = 2.0
"""Lists for each square root of the number of vectors (benchmarks/search.py)."""
TRAINING_VECTORS_PER_LIST = 64
KMEANS_ROUNDS = 10
ADDED_AT_ONCE = 65_536
LEAST_RECALL = 0.96
"""Of the ten nearest, for items."""
LEAST_WINDOW_RECALL = 0.5
"""Of the ten nearest, for windows: a recording is found through several of them, and of 200 that were heard at a
cosine of .86 among 4 million windows one was missed at a recall of .2 and none at .3."""
NEIGHBOURS = 10
TRIED_QUERIES = 100


def build(stored: np.ndarray, path: Path, *, least_recall: float = LEAST_RECALL) -> int:
    """Write the index of int8 vectors (n, d), one thread, the same bytes for the same vectors.

    Returns the number of lists to look into: the first, of steps of a quarter, at which that share of the ten nearest
    is found.
    """
    faiss = faiss_library(path)
    count, dimension = stored.shape
    lists = max(1, min(count, 1 << round(np.log2(LISTS_PER_ROOT * np.sqrt(count)))))
    quantizer = faiss.IndexFlatIP(dimension)
    index = faiss.IndexIVFScalarQuantizer(quantizer, dimension, lists, faiss.ScalarQuantizer.QT_8bit_uniform,
                                          faiss.METRIC_INNER_PRODUCT)
    chosen = np.random.default_rng(0).permutation(count)[: lists * TRAINING_VECTORS_PER_LIST]
    _train(faiss, quantizer, _floats(stored[np.sort(chosen)]), lists)
    set_quantizer(faiss, index)
    for start in range(0, count, ADDED_AT_ONCE):
        index.add(_floats(stored[start : start + ADDED_AT_ONCE]))
    faiss.write_index(index, str(path))
    return _probes(stored, path, lists, least_recall)


def _train(faiss: Any, quantizer: Any, vectors: np.ndarray, lists: int) -> None:
    """Fill the quantiser with the centroids of spherical k-means."""
    clustering = faiss.Clustering(vectors.shape[1], lists)
    clustering.spherical, clustering.niter, clustering.seed = True, KMEANS_ROUNDS, 0
    clustering.min_points_per_centroid = 1  # a small index is for tests; it needs no warning
    clustering.train(vectors, quantizer)


def _floats(stored: np.ndarray) -> np.ndarray:
    return stored.astype(np.float32) / np.float32(SCALE)


def _probes(stored: np.ndarray, path: Path, lists: int, least_recall: float) -> int:
    queries = between(stored, TRIED_QUERIES)
    exact = ExactIndex(stored)
    right = [set(exact.search(query, NEIGHBOURS)[0].tolist()) for query in queries]
    probes = 1
    while probes < lists:
        index = IvfIndex(path, stored, probes=probes)
        found = [set(index.search(query, NEIGHBOURS)[0].tolist()) for query in queries]
        if sum(len(a & b) for a, b in zip(right, found, strict=True)) >= least_recall * sum(map(len, right)):
            break
        probes += max(1, probes // 4)
    return min(probes, lists)


def between(stored: np.ndarray, count: int) -> np.ndarray:
    """Queries like a device's, near the items but none of them: each some way from one vector to another.

    int8 (n, d) -> unit vectors, float32 (count, d).
    """
    pairs = np.random.default_rng(1).integers(0, len(stored), (2, count))
    first, second = _floats(stored[pairs])
    return unit(first + np.float32(0.5) * second)
