"""Where a picture moves, in 17 numbers: the change of brightness since a picture of a moment ago, cell by cell."""

from collections import deque

import numpy as np

from edge.context import unit
from edge.video.layout import LUMA, THUMB_PX

CELLS = 4
"""Along each side."""
DIMENSION = CELLS**2 + 1
LEAST_AGE_S, MOST_AGE_S = 0.45, 2.5
"""How long ago the other picture was seen: the latest that is old enough is taken. With 0.5 to 2 s, shots are found
alike (docs/models.md)."""
MOST_KEPT = 16


class MotionMeter:
    """Takes the pictures of one source in turn; keeps the brightness of the last two seconds, 4 KB a picture."""

    def __init__(self) -> None:
        self._before: deque[tuple[float, np.ndarray]] = deque(maxlen=MOST_KEPT)

    def reset(self) -> None:
        """What comes next does not continue what came before."""
        self._before.clear()

    def push(self, thumb: np.ndarray, time_s: float) -> np.ndarray:
        """np.ndarray [shape=(32, 32, 3), dtype=uint8], RGB -> unit vector [shape=(17,), dtype=float32].

        First a constant, which is all of a picture that stands still, then the root of each cell's mean change, row by
        row. All zeros when no picture of a moment ago is known.
        """
        luma = thumb.astype(np.float32) @ LUMA
        while self._before and not 0 <= time_s - self._before[0][0] <= MOST_AGE_S:
            self._before.popleft()
        old = next((other for at_s, other in reversed(self._before) if time_s - at_s >= LEAST_AGE_S), None)
        self._before.append((time_s, luma))
        return np.zeros(DIMENSION, np.float32) if old is None else motion(old, luma)


def motion(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Two pictures' brightness, float32 (32, 32), 0 to 255 -> unit vector (17,)."""
    side = THUMB_PX // CELLS
    changes = np.abs(now - before).reshape(CELLS, side, CELLS, side).mean(axis=(1, 3))
    return unit(np.concatenate([[1.0], np.sqrt(changes).ravel()]))
