"""What is played soon after what: counted over the training users' histories, kept as a few followers an item."""

import numpy as np
import scipy.sparse

from edge.recommend.collaborative import MAX_NEIGHBOURS
from export.collaborative.grades import Scale
from export.collaborative.neighbours import NeighbourTable, strongest
from export.collaborative.ratings import Ratings

REACH, FADING = 10, 5.0
"""An item follows another up to so many places later, fading by e every five."""
SMOOTHING, SOURCE_POWER, TARGET_POWER = 5.0, 0.7, 0.4
"""Counts are divided by powers of how often both items occur, so that the popular do not follow everything."""


def followed(ratings: Ratings, scale: Scale) -> scipy.sparse.csr_matrix:
    """How much each item is played soon after each other one, by its strength there (grades.py): float32 (items,
    items), the earlier item first."""
    items = len(ratings.items)
    strengths = scale.strengths(ratings.rating)
    counted = scipy.sparse.csr_matrix((items, items), dtype=np.float32)
    for places in range(1, REACH + 1):
        together = ratings.user[places:] == ratings.user[:-places]
        before, after = ratings.item[:-places][together], ratings.item[places:][together]
        amounts = strengths[places:][together] * np.float32(np.exp(-(places - 1) / FADING))
        counted = counted + scipy.sparse.csr_matrix((amounts, (before, after)), (items, items))
    return counted


def followers(counted: scipy.sparse.csr_matrix, plays: np.ndarray, *, count: int = MAX_NEIGHBOURS) -> NeighbourTable:
    """The items that follow each item most, from ``followed`` and how often each is played, (items,)."""
    often = plays + SMOOTHING
    source = scipy.sparse.diags_array(often**-SOURCE_POWER)
    target = scipy.sparse.diags_array(often**-TARGET_POWER)
    return strongest(scipy.sparse.csr_matrix(source @ counted @ target), count=count)
