"""A small share of the places for items that nobody has played: nothing new would ever be learned about them otherwise.

Which list has such a place, and which item gets it, is drawn from a seed, so the same request has the same answer.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

SHARE = 0.02
"""Of all places: a list of ten has one in its last place every fifth time."""
DRAWN_FROM = 5
"""It is drawn evenly from so many of the best new candidates."""


@dataclass(frozen=True)
class Draw:
    """How the last place of a list was given away."""

    candidates: np.ndarray
    """int64 (m,), at most DRAWN_FROM + 1: all that could have got it, as indices into the list's candidates."""
    propensities: np.ndarray
    """float64 (m,), above 0: with which probability each of them got it; they add up to 1."""
    shown: int
    """Which of them got it."""
    explored: bool
    """Whether that is one to be tried, not the one that had the place by its score."""


def seed_of(*parts: object) -> int:
    """The same in every process, other than ``hash``."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big")


def explore(
    chosen: np.ndarray, scores: np.ndarray, new: np.ndarray, *, share: float, seed: int
) -> tuple[np.ndarray, Draw | None]:
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
    draw : Draw or None
        None where nothing could be drawn: chance had no part in the list.
    """
    pool = np.setdiff1d(np.flatnonzero(new), chosen, assume_unique=True)
    pool = pool[np.argsort(-scores[pool], kind="stable")][:DRAWN_FROM]
    random, probability = np.random.default_rng(seed), min(1.0, share * len(chosen))
    if not len(pool) or new[chosen].any() or probability <= 0:
        return chosen, None
    candidates = np.append(chosen[-1], pool)
    propensities = np.append(1 - probability, np.full(len(pool), probability / len(pool)))
    explored = random.random() < probability
    shown = 1 + int(random.integers(len(pool))) if explored else 0
    first = int(probability >= 1)  # the one that had the place by its score could not get it
    draw = Draw(candidates[first:], propensities[first:], shown - first, explored)
    return np.append(chosen[:-1], candidates[shown]), draw
