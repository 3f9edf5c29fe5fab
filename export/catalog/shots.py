"""A film cut into shots: where a frame differs from the one before more than its neighbours do.

The difference of two frames is the mean change of hue, saturation and value. A cut is one frame whose change is
several times that of the frames around it, which a fast pan or a flicker is not: the adaptive threshold of
PySceneDetect's AdaptiveDetector. Dissolves are not found.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.errors import MediaError

THUMB_SIZE_PX = (64, 36)
AROUND_S = 0.17
"""How far to both sides a frame's neighbours reach."""
LEAST_RATIO = 3.0
"""A cut changes this many times as much as its neighbours on average."""
LEAST_CHANGE = 10.0
"""And at least this much, of 255."""
LEAST_SHOT_S = 1.0
FALLBACK_FRAMES_PER_S = 25.0


@dataclass(frozen=True)
class Shot:
    start_s: float
    end_s: float


class ShotFinder:
    """Takes every frame of a film in turn; keeps one number a frame."""

    def __init__(self) -> None:
        self._previous: np.ndarray | None = None
        self._changes: list[float] = []
        self._times_s: list[float] = []

    def push(self, thumb: np.ndarray, time_s: float) -> None:
        """``thumb``: the frame scaled to THUMB_SIZE_PX, np.ndarray [shape=(36, 64, 3), dtype=uint8], RGB."""
        import cv2

        current = cv2.cvtColor(thumb, cv2.COLOR_RGB2HSV).astype(np.int16)
        self._changes.append(0.0 if self._previous is None else change(self._previous, current))
        self._times_s.append(time_s)
        self._previous = current

    def shots(self) -> list[Shot]:
        """Shots of at least a second that cover the film, in order; none of a film without frames."""
        if not self._times_s:
            return []
        length_s = self._times_s[-1] - self._times_s[0]
        rate = (len(self._times_s) - 1) / length_s if length_s > 0 else FALLBACK_FRAMES_PER_S
        end_s = self._times_s[-1] + 1 / rate
        starts = [self._times_s[0]]
        for at in find_cuts(np.array(self._changes), frames_per_s=rate):
            if self._times_s[at] - starts[-1] >= LEAST_SHOT_S and end_s - self._times_s[at] >= LEAST_SHOT_S:
                starts.append(self._times_s[at])
        return [Shot(start, end) for start, end in zip(starts, [*starts[1:], end_s], strict=True)]


def change(before: np.ndarray, after: np.ndarray) -> float:
    """Mean change of hue, saturation and value: int16 HSV pictures as OpenCV makes them -> 0 to 255."""
    parts = np.abs(after - before)
    parts[:, :, 0] = np.minimum(parts[:, :, 0], 180 - parts[:, :, 0])  # hue is a circle of 180
    hue, saturation, value = parts.mean(axis=(0, 1))
    return float(hue * 255 / 180 + saturation + value) / 3


def find_cuts(changes: np.ndarray, *, frames_per_s: float) -> np.ndarray:
    """Which frames begin something new: changes (n,) from frame to frame -> positions, int64, ascending."""
    around = max(2, round(AROUND_S * frames_per_s))
    padded = np.pad(changes, around, mode="edge")
    sums = np.convolve(padded, np.ones(2 * around + 1), mode="valid") - changes
    neighbours = np.maximum(sums / (2 * around), 0.1)
    return np.flatnonzero((changes >= LEAST_CHANGE) & (changes > LEAST_RATIO * neighbours))


def find_shots(path: Path) -> list[Shot]:
    """The shots of a film. Raises MediaError when it cannot be decoded."""
    finder = ShotFinder()
    for time_s, thumb, _ in look_through(path):
        finder.push(thumb, time_s)
    return finder.shots()


def look_through(path: Path, *, every_s: float | None = None) -> Iterator[tuple[float, np.ndarray, np.ndarray | None]]:
    """Every frame of a film as (time_s, thumb, picture), times from 0.

    ``thumb`` has THUMB_SIZE_PX; ``picture`` is the whole frame, np.ndarray [shape=(height, width, 3), dtype=uint8],
    RGB, once every ``every_s`` seconds, else None. Raises MediaError when the film cannot be decoded or is empty.
    """
    import av

    width, height = THUMB_SIZE_PX
    first_s, wanted_s = None, 0.0
    try:
        with av.open(f"file:{path}", metadata_errors="ignore") as container:
            for frame in container.decode(video=0):
                if frame.time is None:
                    continue
                first_s = frame.time if first_s is None else first_s
                time_s, picture = frame.time - first_s, None
                if every_s is not None and time_s >= wanted_s:
                    picture, wanted_s = frame.to_ndarray(format="rgb24"), time_s + every_s
                yield time_s, frame.reformat(width, height, "rgb24", interpolation="AREA").to_ndarray(), picture
    except (av.FFmpegError, OSError, IndexError, ValueError) as error:
        if first_s is None:  # what was decoded before the damage is of use
            raise MediaError(f"{path}: cannot be decoded as film: {getattr(error, 'strerror', '') or error}") from error
    if first_s is None:
        raise MediaError(f"{path}: holds no picture that can be decoded")
