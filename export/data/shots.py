"""A film cut into shots where its colours jump."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export.data.pictures import read_frames

LOOK_EVERY_S = 0.2
THUMB_PX = 32
BINS = 8
LEAST_SHOT_S = 1.0
CUT_DISTANCE = 0.35
"""Half the sum of absolute differences of two frames' colour histograms, 0 (equal) to 1 (nothing in common)."""


@dataclass(frozen=True)
class Shot:
    start_s: float
    end_s: float


def find_shots(path: Path) -> list[Shot]:
    """Shots of at least a second, in order, covering the film. Raises MediaError when it cannot be decoded."""
    frames = list(read_frames(path, every_s=LOOK_EVERY_S, side_px=THUMB_PX))
    histograms = np.stack([_histogram(frame) for frame in frames])
    distance = np.abs(np.diff(histograms, axis=0)).sum(axis=1) / 2
    starts = [0.0]
    for number in np.flatnonzero(distance > CUT_DISTANCE) + 1:
        if number * LOOK_EVERY_S - starts[-1] >= LEAST_SHOT_S:
            starts.append(float(number * LOOK_EVERY_S))
    return [Shot(start, end) for start, end in zip(starts, [*starts[1:], len(frames) * LOOK_EVERY_S], strict=True)]


def _histogram(frame: np.ndarray) -> np.ndarray:
    """Share of pixels per cube of RGB: uint8 (h, w, 3) -> float64 (512,)."""
    cubes = (frame // (256 // BINS)).reshape(-1, 3) @ np.array([BINS * BINS, BINS, 1])
    return np.bincount(cubes, minlength=BINS**3) / len(cubes)
