"""Which shot is seen: a picture's ``video`` vector, the layout of its colours and its motion, in one vector.

Several pictures of each shot are kept in a catalogue's ``shot`` view; a picture belongs to the shot of the nearest.
"""

import numpy as np

from edge.context import unit
from edge.video import layout, motion

VIEW = "shot"
MOTION_WEIGHT = 0.4
"""Of the motion, where the other two count 1. A picture whose motion is not known finds the same shots, less surely."""


def shot_vector(video: np.ndarray, thumb: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """The unit vector of the ``video`` view (d,), the thumbnail uint8 (32, 32, 3), the motion (17,) -> (d + 70,)."""
    return unit(np.concatenate([video, layout.layout(thumb), MOTION_WEIGHT * moves]))


def shot_dimension(video_dimension: int) -> int:
    return video_dimension + layout.DIMENSION + motion.DIMENSION


def shot_space(video_space: str) -> str:
    """The space of the vectors that ``shot_vector`` makes of vectors in ``video_space``."""
    return f"{video_space}+layout{layout.DIMENSION}+motion{motion.DIMENSION}"
