"""EASE's weights cut to a few neighbours an item and refitted on what is left, in 5 bytes a neighbour.

Cutting alone throws away what the other items explained; solving each item's regression again on its own
neighbours gives most of that back.
"""

import numpy as np

from edge.recommend.collaborative import MAX_NEIGHBOURS, NEIGHBOUR


def neighbours(
    weights: np.ndarray, gram: np.ndarray, *, count: int = MAX_NEIGHBOURS
) -> tuple[np.ndarray, np.ndarray]:
    """The strongest neighbours of every item.

    Parameters
    ----------
    weights : np.ndarray [shape=(items, items), dtype=float32]
        B of item_weights.py: row i is what item i in a history adds to every item's score.
    gram : np.ndarray [shape=(items, items), dtype=float32]
        X'X + r I.

    Returns
    -------
    table : np.ndarray [shape=(items, min(count, items - 1)), dtype=NEIGHBOUR]
    scale : np.ndarray [shape=(items,), dtype=float32]
        A real weight is stored weight * scale / 127.
    """
    items = len(weights)
    count = min(count, items - 1)
    kept = np.argpartition(-np.abs(weights), count - 1, axis=1)[:, :count]
    support = np.zeros((items, items), bool)
    np.put_along_axis(support, kept, True, axis=1)
    support[np.diag_indices(items)] = False
    fitted = np.take_along_axis(_refitted(support, gram), kept, axis=1)
    scale = np.maximum(np.abs(fitted).max(axis=1), 1e-12).astype(np.float32)
    table = np.zeros(kept.shape, NEIGHBOUR)
    table["row"] = kept
    table["weight"] = np.rint(fitted / scale[:, np.newaxis] * 127)
    return table, scale


def _refitted(support: np.ndarray, gram: np.ndarray) -> np.ndarray:
    """For each item j, the ridge regression of j on the items i with support[i, j]: float32 (items, items)."""
    result = np.zeros(support.shape, np.float32)
    for item in range(len(support)):
        sources = np.flatnonzero(support[:, item])
        if len(sources):
            result[sources, item] = np.linalg.solve(gram[np.ix_(sources, sources)], gram[sources, item])
    return result
