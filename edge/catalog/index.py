"""Nearest neighbours among the vectors of a view: one interface, and the plain way to do it."""

import math
from typing import Protocol

import numpy as np

from edge.context import unit
from edge.errors import ShapeError

SCALE = 127.0
"""Stored vectors are unit vectors times this, rounded to int8: a cosine is off by .001 or so."""
CHUNK_ROWS = 1024
"""Rows made float32 at a time: with 64 dimensions 256 KB, which stays in a small core's cache."""
COMPARED = 32
"""So many scores are compared at a time to tell where the best begin."""
USUAL = 1e-30, 1e30
"""Squared lengths of queries that need no second look: not nearly zero, not beyond float32, not NaN."""

Found = tuple[np.ndarray, np.ndarray]
"""Labels int (<= k,) and cosines float32 (<= k,), best first, equal ones by label."""


class Index(Protocol):
    """Searches int8 vectors, np.ndarray [shape=(n, d)], each of which has a label. Used by one thread at a time."""

    def search(self, query: np.ndarray, k: int, allowed: np.ndarray | None = None) -> Found:
        """The k nearest of the allowed vectors.

        Parameters
        ----------
        query : np.ndarray [shape=(d,), dtype=float32], of any length
        allowed : np.ndarray [shape=(highest label + 1 or more,), dtype=bool], optional
            Which labels may be found; filtered before the cut.

        Raises ShapeError for a query of another shape or one that is not finite.
        """
        ...


class Scorer:
    """Cosines of a query with int8 vectors, chunk by chunk, through buffers that are made once."""

    def __init__(self, dimension: int):
        self._bytes = np.empty((CHUNK_ROWS, dimension), np.int8)
        self._floats = np.empty((CHUNK_ROWS, dimension), np.float32)

    def all(self, stored: np.ndarray, scaled: np.ndarray) -> np.ndarray:
        """int8 (n, d) with a scaled_query (d,) -> float32 (n,)."""
        scores = np.empty(len(stored), np.float32)
        for start in range(0, len(stored), CHUNK_ROWS):
            part = stored[start : start + CHUNK_ROWS]
            self._dot(part, scaled, scores[start : start + len(part)])
        return scores

    def some(self, stored: np.ndarray, scaled: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """The same for some of the vectors, float32 (len(positions),)."""
        scores = np.empty(len(positions), np.float32)
        for start in range(0, len(positions), CHUNK_ROWS):
            part = positions[start : start + CHUNK_ROWS]
            rows = np.take(stored, part, axis=0, out=self._bytes[: len(part)], mode="clip")
            self._dot(rows, scaled, scores[start : start + len(part)])
        return scores

    def _dot(self, rows: np.ndarray, scaled: np.ndarray, scores: np.ndarray) -> None:
        floats = self._floats[: len(rows)]
        np.copyto(floats, rows)
        np.dot(floats, scaled, out=scores)


class ExactIndex:
    """Looks at every vector."""

    def __init__(self, stored: np.ndarray, labels: np.ndarray | None = None):
        """``labels``: int32 (n,), ascending; each vector's position by default."""
        self._stored, self._labels = stored, labels
        self._scorer = Scorer(stored.shape[1])

    def search(self, query: np.ndarray, k: int, allowed: np.ndarray | None = None) -> Found:
        scaled = scaled_query(query, self._stored.shape[1])
        if allowed is None:
            scores = self._scorer.all(self._stored, scaled)
            best = found = best_of(scores, k)
        else:
            positions = np.flatnonzero(allowed if self._labels is None else allowed[self._labels])
            scores = self._scorer.some(self._stored, scaled, positions)
            best = best_of(scores, k)
            found = positions[best]
        return found if self._labels is None else self._labels[found], scores[best]


def scaled_query(query: np.ndarray, dimension: int) -> np.ndarray:
    """The query such that its product with a stored vector is their cosine: float32 (d,).

    Raises ShapeError for another shape, or values that are not finite.
    """
    query = np.asarray(query, np.float32)
    if query.shape == (dimension,) and USUAL[0] < (squared := float(query.dot(query))) < USUAL[1]:
        return query * np.float32(1 / (math.sqrt(squared) * SCALE))
    if query.shape != (dimension,) or not np.isfinite(query).all():
        raise ShapeError(f"a query must be {dimension} finite numbers, not {query.shape} {query.ravel()[:4]!r}")
    return unit(query) / np.float32(SCALE)


def best_of(scores: np.ndarray, k: int) -> np.ndarray:
    """Positions of the k highest, best first, equal ones in their own order: int64 (<= k,)."""
    if k < 1:
        return np.empty(0, np.int64)
    if k >= len(scores):
        return np.argsort(-scores, kind="stable")
    candidates = shortlist(scores, k)
    found = scores[candidates]
    if len(candidates) > k:
        kept = found >= np.partition(found, len(found) - k)[len(found) - k]
        candidates, found = candidates[kept], found[kept]
    return candidates[np.argsort(-found, kind="stable")][:k]


def shortlist(scores: np.ndarray, k: int) -> np.ndarray:
    """Positions, ascending, of the k highest and a few more, k at least 1.

    Of the scores in parts of COMPARED each, the k parts with the highest maxima hold k scores at least as high as the
    lowest of these. Partitioning 10,000 scores takes eight times as long.
    """
    if k >= len(scores):
        return np.arange(len(scores))
    highest, parts = scores, len(scores) // COMPARED
    if parts > 2 * k:
        highest = scores[: parts * COMPARED].reshape(COMPARED, parts).max(axis=0)
    return np.flatnonzero(scores >= np.partition(highest, len(highest) - k)[len(highest) - k])
