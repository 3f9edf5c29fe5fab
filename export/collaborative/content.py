"""Factors for items that nobody has played, predicted from what they are: texts, year, and content vectors.

Ridge regression from content features to the item factors of those that were played (Gantner et al. 2010 learn such
attribute-to-factor maps). Each of them counts the same: weighted by their plays, the map is one of the popular items.
"""

import re
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import scipy.sparse

from edge.catalog.items import Item
from edge.context import unit
from export.collaborative.factors import Factors

REGULARIZATION = 30.0
"""What a text says that fewer items have is drawn by more than half towards the mean."""
YEAR_SPAN, FIRST_YEAR, LAST_YEAR = 3, 1900, 2040
LEAST_COUNT = 2
"""A word or genre that fewer items have teaches nothing."""
CONTENT_WEIGHT = 3.0
"""How much a content vector counts beside the texts."""
_WORD = re.compile(r"\w{3,}")


@dataclass(frozen=True)
class ContentMap:
    """Predicts factors (items, d) by features @ weights + mean."""

    weights: np.ndarray
    mean: np.ndarray

    def predict(self, features: scipy.sparse.csr_matrix) -> np.ndarray:
        return np.asarray(features @ self.weights + self.mean, np.float32)


def features_of(items: list[Item], vectors: dict[str, np.ndarray] | None = None) -> scipy.sparse.csr_matrix:
    """What is known of each item without anybody playing it: float32 (items, features).

    Genres and pairs of them, artist, album, the words of the title, soft three-year bins of the year, and the rows of
    ``vectors`` (view to float32 (items, d), zeros where there is none).
    """
    said = [_said(item) for item in items]
    counts: dict[str, int] = {}
    for names in said:
        for name in names:
            counts[name] = counts.get(name, 0) + 1
    place = {name: at for at, name in enumerate(sorted(name for name, count in counts.items() if count >= LEAST_COUNT))}
    entries = [(row, place[name], 1 / np.sqrt(len(names))) for row, names in enumerate(said)
               for name in names if name in place]  # fmt: skip
    rows, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
    texts = scipy.sparse.csr_matrix((values, (rows, columns)), (len(items), max(1, len(place))), dtype=np.float32)
    parts = [texts, scipy.sparse.csr_matrix(_years(items))]
    parts += [scipy.sparse.csr_matrix(CONTENT_WEIGHT * dense) for dense in (vectors or {}).values()]
    return scipy.sparse.csr_matrix(scipy.sparse.hstack(parts))


def learn(
    features: scipy.sparse.csr_matrix, factors: np.ndarray, confidence: np.ndarray, *,
    regularization: float = REGULARIZATION,
) -> ContentMap:
    """Fit on items of known factors (items, d), by ``confidence`` (items,), 0 for an item to be left out."""
    weights = confidence / max(float(confidence.max()), 1e-9)
    mean = weights @ factors / max(float(weights.sum()), 1e-9)
    weighted = features.multiply(weights[:, np.newaxis]).tocsr()
    left = (weighted.T @ features).toarray() + regularization * np.mean(weights) * np.eye(features.shape[1])
    right = weighted.T @ (factors - mean)
    return ContentMap(np.linalg.solve(left, right).astype(np.float32), mean.astype(np.float32))


def complete(factors: Factors, features: scipy.sparse.csr_matrix, plays: np.ndarray) -> Factors:
    """The factors with those of unplayed items (``plays`` (items,) is 0) predicted from content.

    Such an item counts in a user's factors as much as the usual played one does.
    """
    if not (plays == 0).any() or features.nnz == 0:
        return factors
    known, unplayed = factors.directions * factors.scale[:, np.newaxis], plays == 0
    predicted = learn(features, known, (~unplayed).astype(np.float32)).predict(features)
    directions, scale, fold = factors.directions.copy(), factors.scale.copy(), factors.fold.copy()
    directions[unplayed] = unit(predicted[unplayed])
    scale[unplayed] = np.linalg.norm(predicted[unplayed], axis=1)
    fold[unplayed] = np.median(fold[plays > 0])
    return replace(factors, directions=directions, scale=scale, fold=fold)


def _said(item: Item) -> set[str]:
    genres = {f"genre {name.strip().lower()}" for name in re.split(r"[|/;,]", item.genre or "") if name.strip()}
    pairs = {f"{one} and {other}" for one, other in combinations(sorted(genres), 2)}
    people = {f"{kind} {name.lower()}" for kind, name in (("artist", item.artist), ("album", item.album)) if name}
    return genres | pairs | people | {f"word {word}" for word in _WORD.findall(item.title.lower())}


def _years(items: list[Item]) -> np.ndarray:
    """float32 (items, bins): a year is shared between the two nearest bin centres."""
    centres = np.arange(FIRST_YEAR, LAST_YEAR, YEAR_SPAN)
    years = np.array([item.year or 0 for item in items])
    shares = np.maximum(0.0, 1 - np.abs(years[:, np.newaxis] - centres) / YEAR_SPAN)
    return shares.astype(np.float32)
