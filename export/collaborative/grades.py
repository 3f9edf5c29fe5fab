"""What a rating says, as an event that a device could have seen: liked, finished, or only begun."""

from dataclasses import dataclass

import numpy as np

from edge.recommend.signals import WEIGHTS
from export.collaborative.ratings import Ratings

FIVE_STARS = 5.0
LIKED, FINISHED, BEGUN = "like", "finish", "play"
STRENGTHS = {LIKED: WEIGHTS["like"], FINISHED: WEIGHTS["finish"], BEGUN: WEIGHTS["play"]}


@dataclass(frozen=True)
class Scale:
    """From which rating on an item counts as liked, and as finished gladly. On five stars: 4 and 3."""

    liked_from: float
    finished_from: float

    def events(self, ratings: np.ndarray) -> np.ndarray:
        """The event of each rating, np.ndarray [shape=(n,), dtype=str]."""
        return np.where(ratings >= self.liked_from, LIKED, np.where(ratings >= self.finished_from, FINISHED, BEGUN))

    def strengths(self, ratings: np.ndarray) -> np.ndarray:
        """What the device makes of each rating (edge/recommend/signals.py): float32 (n,), 0 to 1.

        Even a bad rating says that somebody chose the item, and counts a little for items like it.
        """
        events = self.events(ratings)
        return np.select([events == name for name in STRENGTHS], list(STRENGTHS.values()), 0.0).astype(np.float32)

    def liked(self, ratings: np.ndarray) -> np.ndarray:
        return ratings >= self.liked_from


def scale_of(ratings: Ratings) -> Scale:
    """The scale that the highest rating suggests: four fifths of it is liked, three fifths finished.

    Where all ratings are equal (plays, say) all are liked.
    """
    return scale_between(float(ratings.rating.min()), float(ratings.rating.max()))


def scale_between(lowest: float, highest: float) -> Scale:
    """The scale of ratings between these."""
    if highest == lowest:
        return Scale(lowest, lowest)
    if highest <= 0:  # no number of stars: by the place between the two
        return Scale(lowest + (highest - lowest) * 4 / FIVE_STARS, lowest + (highest - lowest) * 3 / FIVE_STARS)
    return Scale(highest * 4 / FIVE_STARS, highest * 3 / FIVE_STARS)
