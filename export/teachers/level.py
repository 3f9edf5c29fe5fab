"""One loudness for every window that a teacher hears.

The student's front end takes the level out of its cepstra, so it cannot know how loud a room is. A teacher that
heard the level would ask of it what it cannot give; a teacher that hears every window at -20 dBFS does not.
"""

import numpy as np

from edge.errors import ShapeError

TARGET_RMS = 0.1
QUIETEST_RMS = 1e-5
"""Below -100 dBFS a window is digital silence and is left as it is."""


def level_normalised(windows: np.ndarray) -> np.ndarray:
    """Scale each window to a root mean square of 0.1 of full scale (-20 dBFS).

    np.ndarray [shape=(n, samples), dtype=int16 or float32 in -1..1] -> the same shape, float32.
    """
    if windows.ndim != 2:
        raise ShapeError(f"windows of shape {windows.shape}: give (n, samples)")
    scale = 1 / 32768 if windows.dtype == np.int16 else 1.0
    sound = windows.astype(np.float32) * np.float32(scale)
    rms = np.sqrt(np.mean(np.square(sound), axis=1, keepdims=True, dtype=np.float64))
    return sound * np.where(rms > QUIETEST_RMS, TARGET_RMS / np.maximum(rms, QUIETEST_RMS), 1.0).astype(np.float32)
