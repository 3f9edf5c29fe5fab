"""Factors for items that nobody has played, predicted from what they are: genres, year, words, people, content vectors.

Kernel ridge regression from what items are to the factors of those that were played (Gantner et al. 2010 learn such
attribute-to-factor maps by linear regression): a new item has the factors of the played ones that it is like, by how
much it is. Likeness is a product of genres and age, since a new comedy is not for those who like new films and
comedies, but for those who like new comedies; what its title says and who made it add to that. Each played item counts
the same: weighted by their plays, the map is one of the popular items.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import scipy.linalg
import scipy.sparse

from edge.catalog.items import Item
from edge.context import unit
from export.collaborative.factors import Factors

REGULARIZATION = 3.0
GENRE_SHARPNESS = 2.0
"""Items of no common genre are e^-2 as alike as those of the same ones."""
AGE_SPAN = 0.5
"""Likeness falls by e where one item is e^.5 times as old as the other, counted from the newest of the catalogue."""
LEAST_COUNT = 2
"""A word or name that fewer items have teaches nothing."""
MOST_LANDMARKS = 3000
"""Of more played items so many are drawn to compare with (subset of regressors, Silverman 1985)."""
BATCH = 4096
_WORD = re.compile(r"\w{3,}")


class Content:
    """What is known of each item without anybody playing it."""

    def __init__(self, items: list[Item], vectors: dict[str, np.ndarray] | None = None):
        """``vectors``: view to float32 (items, d), unit vectors, zeros where there is none."""
        self.size = len(items)
        self._genres = _shares([_genres(item) for item in items], 1)
        self._said = scipy.sparse.csr_matrix(scipy.sparse.hstack(
            [_shares([set(_WORD.findall(item.title.lower())) for item in items], LEAST_COUNT),
             *(_shares([_named(getattr(item, kind)) for item in items], LEAST_COUNT) for kind in ("artist", "album"))]))
        self._age = _ages(items)
        self._vectors = [np.asarray(dense, np.float32) for dense in (vectors or {}).values()]

    def likeness(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """How alike the items of ``rows`` (n,) and ``others`` (m,) are: float32 (n, m), a positive definite kernel."""
        genres = (self._genres[rows] @ self._genres[others].T).toarray()
        apart = np.abs(self._age[rows][:, np.newaxis] - self._age[others])
        alike = np.exp(GENRE_SHARPNESS * (genres - 1) - apart / AGE_SPAN)
        alike += (self._said[rows] @ self._said[others].T).toarray()
        for dense in self._vectors:
            alike += dense[rows] @ dense[others].T
        return alike.astype(np.float32)


def learn(
    content: Content, known: np.ndarray, values: np.ndarray, *, regularization: float = REGULARIZATION, seed: int = 0
) -> Callable[[np.ndarray], np.ndarray]:
    """Kernel ridge regression from the items ``known`` (n,) to their ``values`` (n, d).

    Returns what predicts the values of the items in rows (m,): float32 (m, d).
    """
    mean = values.mean(axis=0)
    landmarks = np.sort(np.random.default_rng(seed).permutation(known)[:MOST_LANDMARKS])
    own = content.likeness(landmarks, landmarks).astype(np.float64)
    left, right = regularization * own, np.zeros((len(landmarks), values.shape[1]))
    for start in range(0, len(known), BATCH):
        part = content.likeness(known[start : start + BATCH], landmarks).astype(np.float64)
        left += part.T @ part
        right += part.T @ (values[start : start + BATCH] - mean)
    left.flat[:: len(left) + 1] += 1e-6 * np.trace(left) / len(left)  # equal items make equal rows
    weights = scipy.linalg.solve(left, right, assume_a="pos").astype(np.float32)

    def predict(rows: np.ndarray) -> np.ndarray:
        parts = [content.likeness(rows[start : start + BATCH], landmarks) @ weights
                 for start in range(0, len(rows), BATCH)]  # fmt: skip
        return np.concatenate(parts, dtype=np.float32) + mean.astype(np.float32)

    return predict


def complete(factors: Factors, content: Content, plays: np.ndarray) -> Factors:
    """The factors with those of unplayed items (``plays`` (items,) is 0) predicted from content.

    Such an item counts in a user's factors as much as the usual played one does.
    """
    played, unplayed = np.flatnonzero(plays > 0), np.flatnonzero(plays == 0)
    if not len(unplayed) or not len(played):
        return factors
    known = factors.directions[played] * factors.scale[played, np.newaxis]
    predicted = learn(content, played, known)(unplayed)
    directions, scale, fold = factors.directions.copy(), factors.scale.copy(), factors.fold.copy()
    directions[unplayed] = unit(predicted)
    scale[unplayed] = np.linalg.norm(predicted, axis=1)
    fold[unplayed] = np.median(fold[played])
    return replace(factors, directions=directions, scale=scale, fold=fold)


def _genres(item: Item) -> set[str]:
    return {name.strip().lower() for name in re.split(r"[|/;,]", item.genre or "")} - {""}


def _named(name: str | None) -> set[str]:
    return {name.lower()} if name else set()


def _shares(said: list[set[str]], least: int) -> scipy.sparse.csr_matrix:
    """One column a name that at least ``least`` items have, rows of length 1 before the rarer go: float32."""
    counts = Counter(name for names in said for name in names)
    place = {name: at for at, name in enumerate(sorted(name for name in counts if counts[name] >= least))}
    entries = [(row, place[name], len(names) ** -0.5) for row, names in enumerate(said)
               for name in names if name in place]  # fmt: skip
    rows, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
    return scipy.sparse.csr_matrix((values, (rows, columns)), (len(said), max(1, len(place))), dtype=np.float32)


def _ages(items: list[Item]) -> np.ndarray:
    """The logarithm of each item's age in years, that of the usual one where the year is unknown: float32 (items,)."""
    years = np.array([item.year or 0 for item in items], np.float32)
    known = years > 0
    if not known.any():
        return np.zeros(len(items), np.float32)
    return np.log1p(years.max() - np.where(known, years, np.median(years[known]))).astype(np.float32)
