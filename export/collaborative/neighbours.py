"""EASE's weights cut to a few neighbours an item and refitted on what is left, in 5 bytes a neighbour.

Cutting alone throws away what the other items explained; solving each item's regression again on its own
neighbours gives most of that back.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import scipy.sparse

from edge.recommend.collaborative import MAX_NEIGHBOURS


@dataclass(frozen=True)
class NeighbourTable:
    """``items`` int32 and ``weights`` int8 (items, k), ``scale`` float32 (items,); the real weight of a neighbour is
    its stored one times scale / 127."""

    items: np.ndarray
    weights: np.ndarray
    scale: np.ndarray


def neighbours(weights: np.ndarray, gram: np.ndarray, *, count: int = MAX_NEIGHBOURS) -> NeighbourTable:
    """The strongest neighbours of every item.

    Parameters
    ----------
    weights : np.ndarray [shape=(items, items), dtype=float32]
        B of item_weights.py: row i is what item i in a history adds to every item's score.
    gram : np.ndarray [shape=(items, items), dtype=float32]
        X'X + r I.
    """
    items = len(weights)
    count = min(count, items - 1)
    kept = np.argpartition(-np.abs(weights), count - 1, axis=1)[:, :count]
    support = np.zeros((items, items), bool)
    np.put_along_axis(support, kept, True, axis=1)
    support[np.diag_indices(items)] = False
    fitted = np.take_along_axis(_refitted(support, gram), kept, axis=1)
    return _stored(kept, fitted)


def similar_items(strengths: scipy.sparse.csr_matrix, *, count: int = MAX_NEIGHBOURS) -> NeighbourTable:
    """As ``neighbours``, for more items than EASE can do: BM25-weighted co-occurrence, through `implicit`."""
    return strongest(co_occurrence(strengths, count + 1), count=count)


def co_occurrence(strengths: scipy.sparse.csr_matrix, count: int) -> scipy.sparse.csr_matrix:
    """BM25-weighted similarities of items (items, items), the ``count`` highest of each, through `implicit`."""
    from implicit.nearest_neighbours import BM25Recommender

    model = BM25Recommender(K=count, num_threads=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of a conversion of its own making
        model.fit(strengths, show_progress=False)
    return model.similarity.tocsr()


def strongest(weights: scipy.sparse.csr_matrix, *, count: int = MAX_NEIGHBOURS) -> NeighbourTable:
    """The ``count`` highest weights of each row, the diagonal left out; missing ones weigh 0."""
    items = weights.shape[0]
    count = min(count, items - 1)
    kept, fitted = np.zeros((items, count), np.int64), np.zeros((items, count), np.float32)
    for item in range(items):
        own = slice(weights.indptr[item], weights.indptr[item + 1])
        others = weights.indices[own] != item
        columns, values = weights.indices[own][others], weights.data[own][others]
        best = np.argsort(-values, kind="stable")[:count]
        kept[item, : len(best)], fitted[item, : len(best)] = columns[best], values[best]
    return _stored(kept, fitted)


def _stored(kept: np.ndarray, fitted: np.ndarray) -> NeighbourTable:
    scale = np.maximum(np.abs(fitted).max(axis=1, initial=0.0), 1e-12).astype(np.float32)
    return NeighbourTable(
        items=kept.astype(np.int32),
        weights=np.rint(fitted / scale[:, np.newaxis] * 127).astype(np.int8),
        scale=scale,
    )


def _refitted(support: np.ndarray, gram: np.ndarray) -> np.ndarray:
    """For each item j, the ridge regression of j on the items i with support[i, j]: float32 (items, items)."""
    result = np.zeros(support.shape, np.float32)
    for item in range(len(support)):
        sources = np.flatnonzero(support[:, item])
        if len(sources):
            result[sources, item] = np.linalg.solve(gram[np.ix_(sources, sources)], gram[sources, item])
    return result
