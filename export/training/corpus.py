"""The training sound: decoded tracks on disk, memory-mapped, with what the teacher said of each of their windows."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.errors import ExportError
from export.training.frontend import WINDOW_SAMPLES

LABEL_HOP_SAMPLES = 48_000
"""A teacher window begins every 3 s."""


@dataclass(frozen=True)
class LabelledTrack:
    """``sound``: int16 (samples,), memory-mapped. ``targets``: unit float32 (windows, dimension)."""

    id: str
    family: str
    """Artist or album: tracks of one family count as alike when retrieval is measured."""
    sound: np.ndarray
    targets: np.ndarray

    def window(self, index: int, shift_samples: int = 0) -> np.ndarray:
        """The window that ``targets[index]`` describes, moved by a shift; int16 (48240,), kept inside the track."""
        last = len(self.sound) - WINDOW_SAMPLES
        start = min(max(0, index * LABEL_HOP_SAMPLES + shift_samples), last)
        return self.sound[start : start + WINDOW_SAMPLES]


def open_sound(path: Path) -> np.ndarray:
    """Memory-map a decoded track. Raises ExportError when it is not int16 of at least one window."""
    try:
        sound = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ExportError(f"{path}: not a decoded track: {error}") from error
    if sound.dtype != np.int16 or sound.ndim != 1 or len(sound) < WINDOW_SAMPLES:
        raise ExportError(f"{path}: {sound.dtype} {sound.shape} is not at least {WINDOW_SAMPLES} int16 samples")
    return sound


def label_windows(sound: np.ndarray) -> np.ndarray:
    """The windows that a teacher is asked about: int16 (windows, 48240), one every 3 s."""
    windows = np.lib.stride_tricks.sliding_window_view(sound, WINDOW_SAMPLES)
    return np.asarray(windows[::LABEL_HOP_SAMPLES])
