"""Build the index of a large view (edge/catalog/ivf.py), and measure how many lists a search must look into."""

from pathlib import Path
from typing import Any

import numpy as np

from edge.catalog.index import SCALE, ExactIndex
from edge.catalog.ivf import NEIGHBOURS, IvfIndex
from edge.catalog.lists import Lists, open_lists
from edge.context import unit
from export.catalog.arrays import ArrayFile, write_array
from export.catalog.clusters import AT_ONCE, cluster, floats, group_of

LEAST_RECALL = 0.97
"""Of an item's nearest. .95 is promised, also of queries not tried here and through filters: lists that found .96 of
what 200 queries have near found .949 of what 300 others have (benchmarks/million.py)."""
LEAST_WINDOW_RECALL = 0.5
"""Of the nearest windows: a recording is found through several of them, and of 200 that were heard at a cosine of .86
among 4 million windows one was missed at a recall of .2 and none at .3."""
TWICE_FROM_VECTORS = 20_000
"""From so many on each vector lies in two lists. Searches took 1.2 times as long with that at 10,000, 0.92 times as
long at 20,000 and 0.82 at 100,000, in one run."""
TRIED_QUERIES = {10: 400, 100: 100, 1000: 40}
"""For so many neighbours each; the more neighbours, the fewer queries tell the recall."""


def build(
    stored: np.ndarray, labels: np.ndarray, folder: Path, name: str, *, least_recall: float = LEAST_RECALL,
    twice: bool = True,
) -> dict[str, Any]:
    """Write the lists of int8 vectors (n, d) with labels int32 (n,), ascending: the same bytes for the same vectors.

    ``twice``: each vector lies in two lists. For the same recall a search of a million then compares three quarters of
    the vectors, and reads two fifths of the lists (docs/benchmarks.md).

    Returns ``lists``, ``groups``, ``listed`` and ``probes`` of the view's entry in the manifest.
    """
    lists = _write(stored, labels, folder, name, twice=twice)
    exact = ExactIndex(stored, labels)
    probes: dict[int, int] = {}
    for neighbours, queries in TRIED_QUERIES.items():
        least = max(probes.values(), default=1)
        probes[neighbours] = _enough(exact, lists, between(stored, queries), neighbours, least, least_recall)
    return {"lists": len(lists.centroids), "groups": len(lists.groups), "listed": len(lists.labels),
            "probes": {str(neighbours): lists_tried for neighbours, lists_tried in probes.items()}}


def _write(stored: np.ndarray, labels: np.ndarray, folder: Path, name: str, *, twice: bool) -> Lists:
    clusters, lists_of = cluster(stored, twice=twice)
    members = np.flatnonzero(lists_of >= 0) // lists_of.shape[1]
    list_of = lists_of[lists_of >= 0]
    group_of_list = group_of(clusters)
    numbers = np.unique(list_of)  # a list without vectors is left out, then a group without lists
    numbers = numbers[np.argsort(group_of_list[numbers], kind="stable")]
    groups, group_sizes = np.unique(group_of_list[numbers], return_counts=True)
    rank = np.empty(len(clusters.centroids), np.int32)
    rank[numbers] = np.arange(len(numbers))
    order = members[np.argsort(rank[list_of], kind="stable")]
    vectors = ArrayFile(folder / f"{name}.lists.npy", np.int8, stored.shape[1])
    for start in range(0, len(order), AT_ONCE):
        vectors.append(stored[order[start : start + AT_ONCE]])
    vectors.close()
    for file, values in (
        ("labels", labels[order].astype(np.int32)), ("centroids", _rounded(clusters.centroids[numbers])),
        ("bounds", _bounds(np.bincount(rank[list_of]))), ("groups", _rounded(clusters.groups[groups])),
        ("grouped", _bounds(group_sizes)),
    ):
        write_array(folder / f"{name}.{file}.npy", values)
    return open_lists(lambda file, dtype, shape: np.load(folder / file, mmap_mode="r").view(np.ndarray), name,
                      (len(order), stored.shape[1]), lists=len(numbers), groups=len(groups))


def _bounds(sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _rounded(vectors: np.ndarray) -> np.ndarray:
    return np.rint(vectors * np.float32(SCALE)).astype(np.int8)


def _enough(
    exact: ExactIndex, lists: Lists, queries: np.ndarray, neighbours: int, least: int, least_recall: float,
) -> int:
    """Lists to look into: the first, of steps of an eighth, at which that share of so many nearest is found."""
    right = [set(exact.search(query, neighbours)[0].tolist()) for query in queries]
    probes = least
    while probes < len(lists.centroids):
        index = IvfIndex(lists, probes=dict.fromkeys(NEIGHBOURS, probes))
        found = [set(index.search(query, neighbours)[0].tolist()) for query in queries]
        if sum(len(a & b) for a, b in zip(right, found, strict=True)) >= least_recall * sum(map(len, right)):
            break
        probes += max(1, probes // 8)
    return min(probes, len(lists.centroids))


def between(stored: np.ndarray, count: int, *, seed: int = 1) -> np.ndarray:
    """Queries like a device's, near the items but none of them: each some way from one vector to another.

    int8 (n, d) -> unit vectors, float32 (count, d).
    """
    pairs = np.random.default_rng(seed).integers(0, len(stored), (2, count))
    first, second = floats(stored[pairs])
    return unit(first + np.float32(0.5) * second)
