"""What a ranker learns from: lists of candidates of which some were wanted."""

from dataclasses import dataclass

import numpy as np

LEAST_SPREAD = 1e-6
"""A feature whose standard deviation is no more was the same for every candidate."""


@dataclass(frozen=True)
class RankingList:
    """One list: ``values`` float32 (candidates, features) and ``wanted`` bool (candidates,), at least one of them."""

    values: np.ndarray
    wanted: np.ndarray
