"""How well each recording fits what was heard, its windows taken in the order in which they were heard."""

import numpy as np


def aligned_scores(similarity: np.ndarray, starts: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Of each recording, the mean similarity with the heard windows at the place where they fit best.

    Parameters
    ----------
    similarity : np.ndarray [shape=(n, heard), dtype=float32], heard >= 1
        Cosine of each window, recording after recording, with each heard one.
    starts : np.ndarray [shape=(m + 1,), dtype=int64]
        Where each recording's windows begin, ascending strictly from 0, and n.
    offsets : np.ndarray [shape=(heard,), dtype=int64], ascending from 0
        So many of a recording's windows after the first heard one each was heard.

    Returns
    -------
    np.ndarray [shape=(m,), dtype=float32]
        Where a recording ends before what was heard, the windows that are left count as 0.
    """
    n, heard = similarity.shape
    ends = np.repeat(starts[1:], np.diff(starts))
    places = np.arange(n)
    total = np.zeros(n, np.float32)
    for column, offset in enumerate(offsets.tolist()):
        inside = np.flatnonzero(places + offset < ends)
        total[inside] += similarity[inside + offset, column]
    best: np.ndarray = np.maximum.reduceat(total, starts[:-1]) if len(starts) > 1 else total
    return best / np.float32(heard)
