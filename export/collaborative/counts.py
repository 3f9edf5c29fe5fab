"""What a collaborative model is learned from, as sums over users: parts of the users can be counted apart and added."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np
import scipy.sparse

from export.collaborative.followers import followed
from export.collaborative.grades import Scale
from export.collaborative.item_weights import gram, strengths_matrix
from export.collaborative.ratings import Ratings


@dataclass(frozen=True)
class Counts:
    plays: np.ndarray
    """int64 (items,): how many rated it."""
    likes: np.ndarray
    """float64 (items,): how many liked it."""
    followed: scipy.sparse.csr_matrix
    """float32 (items, items): how much the second is played soon after the first."""
    gram: np.ndarray | None
    """X'X, float32 (items, items), where item-item weights are to be solved for."""

    def __add__(self, other: "Counts") -> "Counts":
        both = self.gram is not None and other.gram is not None
        return Counts(self.plays + other.plays, self.likes + other.likes, self.followed + other.followed,
                      self.gram + other.gram if both else None)  # type: ignore[operator]  # both are there


def count(ratings: Ratings, scale: Scale, *, pairs: bool = True) -> Counts:
    """``pairs``: whether the Gram matrix is wanted. Raises ExportError for more items than it may have."""
    items = len(ratings.items)
    return Counts(
        plays=np.bincount(ratings.item, minlength=items),
        likes=np.bincount(ratings.item, scale.liked(ratings.rating), items),
        followed=followed(ratings, scale),
        gram=gram(strengths_matrix(ratings, scale)) if pairs else None,
    )


def total(parts: Iterable[Counts]) -> Counts:
    """The sum of at least one part; one more is in memory at a time."""
    return reduce(lambda one, other: one + other, parts)
