"""What an item is, in features that a linear map reads: what content alone says of its popularity (new_items.py)."""

import re
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import scipy.sparse

from edge.catalog.items import Item

YEAR_SPAN, FIRST_YEAR, LAST_YEAR = 3, 1900, 2040
LEAST_COUNT = 2
"""A word or genre that fewer items have teaches nothing."""
_WORD = re.compile(r"\w{3,}")


@dataclass(frozen=True)
class ContentMap:
    """Predicts values (items, d) by features @ weights + mean."""

    weights: np.ndarray
    mean: np.ndarray

    def predict(self, features: scipy.sparse.csr_matrix) -> np.ndarray:
        return np.asarray(features @ self.weights + self.mean, np.float32)


def features_of(items: list[Item]) -> scipy.sparse.csr_matrix:
    """What is known of each item without anybody playing it: float32 (items, features).

    Genres and pairs of them, artist, album, the words of the title, and soft three-year bins of the year.
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
    return scipy.sparse.csr_matrix(scipy.sparse.hstack([texts, scipy.sparse.csr_matrix(_years(items))]))


def learn(
    features: scipy.sparse.csr_matrix, values: np.ndarray, confidence: np.ndarray, *, regularization: float
) -> ContentMap:
    """Ridge regression on items of known values (items, d), by ``confidence`` (items,), 0 for one to be left out."""
    weights = confidence / max(float(confidence.max()), 1e-9)
    mean = weights @ values / max(float(weights.sum()), 1e-9)
    weighted = features.multiply(weights[:, np.newaxis]).tocsr()
    left = (weighted.T @ features).toarray() + regularization * np.mean(weights) * np.eye(features.shape[1])
    right = weighted.T @ (values - mean)
    return ContentMap(np.linalg.solve(left, right).astype(np.float32), mean.astype(np.float32))


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
