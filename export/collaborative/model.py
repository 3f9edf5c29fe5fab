"""Everything that a device needs to know about who plays what together, learned from ratings in one go."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from edge.errors import ExportError
from export.collaborative.counts import Counts, count
from export.collaborative.factors import Factors, als_factors, ease_factors
from export.collaborative.followers import followers
from export.collaborative.grades import Scale
from export.collaborative.item_weights import MAX_ITEMS, precision, regularized, strengths_matrix, weights
from export.collaborative.neighbours import NeighbourTable, neighbours, similar_items
from export.collaborative.ratings import Ratings

METHODS = ("auto", "ease", "als")
PRIOR_RATINGS = 5.0
"""An item's share of likes counts as much as so many ratings of the mean share."""


@dataclass(frozen=True)
class CollaborativeModel:
    """Per item of the ratings, in their order."""

    factors: Factors
    plays: np.ndarray
    """int64 (items,): how many rated it."""
    neighbours: NeighbourTable
    followers: NeighbourTable
    popularity: np.ndarray
    """float32 (items,), 0 to 1: log of how many liked it, 1 for the most liked."""
    liked: np.ndarray
    """float32 (items,), 0 to 1: the share of those who rated it who liked it, drawn towards the mean share."""
    exposure: np.ndarray
    """float32 (items,), 0 to 1: log of how often the factors alone put it into a training user's first ten."""


def fit(ratings: Ratings, scale: Scale, *, method: str = "auto", seed: int = 0) -> CollaborativeModel:
    """Learn from ratings. ``auto`` is ``ease`` where item-item weights can be solved for, else ``als``.

    Raises ExportError when nobody liked anything, or the method cannot do so many items.
    """
    strengths = strengths_matrix(ratings, scale)
    als = method == "als" or (method == "auto" and len(ratings.items) > MAX_ITEMS)
    counts = count(ratings, scale, pairs=not als)
    factors, near = (als_factors(strengths, seed=seed), similar_items(strengths)) if als else ease(counts)
    return assembled(counts, scale, factors, near, exposures(strengths, factors))


def ease(counts: Counts) -> tuple[Factors, NeighbourTable]:
    """Factors and neighbours from counts with a Gram matrix."""
    assert counts.gram is not None
    gram_matrix = regularized(counts.gram)
    inverse = precision(gram_matrix)
    return ease_factors(inverse), neighbours(weights(inverse), gram_matrix)


def assembled(
    counts: Counts, scale: Scale, factors: Factors, near: NeighbourTable, shown: np.ndarray
) -> CollaborativeModel:
    """The model, ``shown`` from ``exposures``. Raises ExportError when nobody liked anything."""
    if not counts.likes.any():
        raise ExportError(f"no rating reaches {scale.liked_from:g}, from which on an item counts as liked")
    return CollaborativeModel(
        factors=factors,
        plays=counts.plays,
        neighbours=near,
        followers=followers(counts.followed, counts.plays),
        popularity=_log_share(counts.likes),
        liked=_liked_share(counts.likes, counts.plays),
        exposure=_log_share(shown),
    )


def _log_share(counts: np.ndarray) -> np.ndarray:
    return (np.log1p(counts) / max(float(np.log1p(counts).max()), 1e-9)).astype(np.float32)


def _liked_share(liked: np.ndarray, rated: np.ndarray) -> np.ndarray:
    mean = liked.sum() / rated.sum()
    return ((liked + PRIOR_RATINGS * mean) / (rated + PRIOR_RATINGS)).astype(np.float32)


def exposures(
    strengths: scipy.sparse.csr_matrix, factors: Factors, *, places: int = 10, batch: int = 1024
) -> np.ndarray:
    """How often each item gets one of the first places when every user is recommended what the user has not had:
    int64 (items,), a sum over users."""
    vectors = factors.directions * factors.scale[:, np.newaxis]
    users = factors.directions * factors.fold[:, np.newaxis]
    if factors.method == "ease":
        users = users * factors.spectrum
    shown = np.zeros(len(vectors), np.int64)
    places = min(places, len(vectors) - 1)
    for start in range(0, strengths.shape[0], batch):
        part = strengths[start : start + batch]
        scores = (part @ users) @ vectors.T
        scores[part.nonzero()] = -np.inf
        shown += np.bincount(np.argpartition(-scores, places, axis=1)[:, :places].ravel(), minlength=len(vectors))
    return shown
