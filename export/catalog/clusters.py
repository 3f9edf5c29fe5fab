"""Centroids for inverted lists (edge/catalog/lists.py): k-means in two levels, groups and the lists within them.

One level of so many lists would compare each vector with each of them: hours for a million. faiss does the arithmetic.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.catalog.index import SCALE
from edge.context import unit
from edge.errors import RuntimeMissingError

VECTORS_PER_LIST = 64
GROUPS_PER_ROOT = 4.0
"""Groups for each square root of the number of lists (benchmarks/search.py)."""
SAMPLED_PER_LIST = 16
KMEANS_ROUNDS = 10
GROUPS_LOOKED_INTO = 16
"""For the list that a vector belongs to."""
CANDIDATES = 16
"""Nearest lists among which the second one is chosen."""
SECOND_AT_ONCE = 4096
AT_ONCE = 65_536


@dataclass(frozen=True)
class Clusters:
    """Unit vectors, float32."""

    groups: np.ndarray
    """(groups, d)"""
    centroids: np.ndarray
    """(lists, d), in no order."""


def cluster(stored: np.ndarray, *, twice: bool) -> tuple[Clusters, np.ndarray]:
    """Lists for int8 vectors (n, d) and the list of each vector, int32 (n, 1); the same for the same vectors.

    ``twice``: two lists of each, (n, 2), the second -1 where there is but one.
    """
    faiss = faiss_library()
    count = len(stored)
    lists = -(-count // VECTORS_PER_LIST)
    chosen = np.random.default_rng(0).permutation(count)[: lists * SAMPLED_PER_LIST]
    rough = _rough(faiss, floats(stored[np.sort(chosen)]), lists)
    means = _means(stored, _lists_of(faiss, stored, rough)[:, 0], rough.centroids)
    fine = Clusters(rough.groups, means)
    return fine, _lists_of(faiss, stored, fine, twice=twice)


def group_of(clusters: Clusters) -> np.ndarray:
    """The nearest group of each centroid, int64 (lists,)."""
    return _flat(faiss_library(), clusters.groups).search(clusters.centroids, 1)[1][:, 0]


def faiss_library() -> Any:
    """The faiss module, on one thread. Raises RuntimeMissingError when it is not installed."""
    try:
        import faiss
    except ImportError as error:
        raise RuntimeMissingError("a view this large needs faiss for its index, which is not installed; "
                                  "pip install faiss-cpu") from error
    faiss.omp_set_num_threads(1)
    return faiss


def floats(stored: np.ndarray) -> np.ndarray:
    return stored.astype(np.float32) / np.float32(SCALE)


def _rough(faiss: Any, sample: np.ndarray, lists: int) -> Clusters:
    """Groups of a sample, each cut into as many lists as its share of the sample."""
    groups = _kmeans(faiss, sample, 1 << round(np.log2(GROUPS_PER_ROOT * np.sqrt(lists))))
    group = _flat(faiss, groups).search(sample, 1)[1][:, 0]
    parts = (sample[group == number] for number in range(len(groups)))
    return Clusters(groups, np.concatenate(
        [_kmeans(faiss, part, max(1, round(lists * len(part) / len(sample)))) for part in parts if len(part)]))


def _kmeans(faiss: Any, vectors: np.ndarray, centroids: int) -> np.ndarray:
    """Spherical k-means: at most so many unit vectors."""
    if len(vectors) <= centroids:
        return unit(vectors)
    clustering = faiss.Clustering(vectors.shape[1], centroids)
    clustering.spherical, clustering.niter, clustering.seed = True, KMEANS_ROUNDS, 0
    clustering.min_points_per_centroid = 1  # a small group is no mistake; it needs no warning
    clustering.train(vectors, faiss.IndexFlatIP(vectors.shape[1]))
    found = faiss.vector_to_array(clustering.centroids).reshape(centroids, -1)
    return unit(found)  # faiss leaves what it made of an empty cluster at any length


def _flat(faiss: Any, centroids: np.ndarray) -> Any:
    index = faiss.IndexFlatIP(centroids.shape[1])
    index.add(centroids)
    return index


def _lists_of(faiss: Any, stored: np.ndarray, clusters: Clusters, *, twice: bool = False) -> np.ndarray:
    """The list of each vector, or both, looked for in the nearest groups: int32 (n, 1 or 2)."""
    quantizer = _flat(faiss, clusters.groups)
    index = faiss.IndexIVFFlat(quantizer, stored.shape[1], len(clusters.groups), faiss.METRIC_INNER_PRODUCT)
    index.nprobe = min(GROUPS_LOOKED_INTO, len(clusters.groups))
    index.add(clusters.centroids)
    found = np.empty((len(stored), 2 if twice else 1), np.int32)
    at_once = SECOND_AT_ONCE if twice else AT_ONCE
    for start in range(0, len(stored), at_once):
        vectors = floats(stored[start : start + at_once])
        cosines, near = index.search(vectors, CANDIDATES if twice else 1)
        found[start : start + at_once, 0] = near[:, 0]
        if twice:
            found[start : start + at_once, 1] = second_lists(vectors, clusters.centroids, cosines, near)
    return found


def second_lists(vectors: np.ndarray, centroids: np.ndarray, cosines: np.ndarray, near: np.ndarray) -> np.ndarray:
    """For each vector, of its nearest lists but the first, the one to find it in when a query overlooks the first.

    That happens when the query lies along what parts the vector from its centroid; so the second centroid should be
    near, and part from the vector another way (SOAR: Sun et al., 2023, with lambda 1).

    Parameters
    ----------
    vectors : np.ndarray [shape=(n, d), dtype=float32], of length 1
    centroids : np.ndarray [shape=(lists, d), dtype=float32], of length 1
    cosines : np.ndarray [shape=(n, m), dtype=float32]
        Of each vector with the centroids of the lists ``near``.
    near : np.ndarray [shape=(n, m), dtype=int]
        The nearest lists, best first; -1 where there are no more.

    Returns
    -------
    np.ndarray [shape=(n,), dtype=int]
        -1 where there is one list only.
    """
    away = unit(vectors - centroids[near[:, 0]])
    along = np.einsum("nd,nd->n", vectors, away)[:, None] - np.einsum("nmd,nd->nm", centroids[near[:, 1:]], away)
    loss = np.where(near[:, 1:] < 0, np.inf, along**2 - 2 * np.maximum(cosines[:, 1:], -1))
    return near[np.arange(len(near)), 1 + loss.argmin(axis=1)]


def _means(stored: np.ndarray, lists: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Unit vectors along the mean of each list; of an empty one the centroid that it had."""
    sums = np.zeros(centroids.shape, np.float32)
    for start in range(0, len(stored), AT_ONCE):
        part = lists[start : start + AT_ONCE]
        order = np.argsort(part, kind="stable")
        numbers, begins = np.unique(part[order], return_index=True)
        sums[numbers] += np.add.reduceat(stored[start : start + AT_ONCE][order], begins, axis=0, dtype=np.float32)
    filled = sums.any(axis=1, keepdims=True)
    return np.where(filled, unit(sums), centroids)
