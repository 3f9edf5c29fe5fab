"""A small share of the places for items that nobody has played: nothing new would ever be learned about them otherwise.

Which list has such a place, and which item gets it, is drawn from a seed, so the same request has the same answer.
"""

import hashlib

import numpy as np

SHARE = 0.02
"""Of all places: a list of ten has one in its last place every fifth time."""
DRAWN_FROM = 5
"""It is drawn evenly from so many of the best new candidates."""


def seed_of(*parts: object) -> int:
    """The same in every process, other than ``hash``."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big")


def explore(
    chosen: np.ndarray, scores: np.ndarray, new: np.ndarray, *, share: float, seed: int
) -> tuple[np.ndarray, float | None]:
    """Give the last place to a new candidate, with a probability that makes ``share`` of all places such ones.

    Parameters
    ----------
    chosen : np.ndarray [shape=(k,), dtype=int64]
        The list, as indices into the candidates.
    scores : np.ndarray [shape=(n,), dtype=float32]
        Of the candidates.
    new : np.ndarray [shape=(n,), dtype=bool]
        Which candidates nobody has played.

    Returns
    -------
    list : np.ndarray [shape=(k,), dtype=int64]
    propensity : float or None
        With which probability the item in the last place got there; None where nothing was drawn.
    """
    pool = np.setdiff1d(np.flatnonzero(new), chosen, assume_unique=True)
    pool = pool[np.argsort(-scores[pool], kind="stable")][:DRAWN_FROM]
    random, probability = np.random.default_rng(seed), min(1.0, share * len(chosen))
    if not len(pool) or new[chosen].any() or random.random() >= probability:
        return chosen, None
    drawn = pool[random.integers(len(pool))]
    return np.append(chosen[:-1], drawn), probability / len(pool)
