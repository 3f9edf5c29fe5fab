"""Whether two tracks hold the same passage, sample by sample: then nobody can hear which of them plays."""

import numpy as np
from scipy.signal import correlate

LEAST = 0.9
"""Normalised cross-correlation from which sound is the same: what differs is 6 dB quieter."""
QUIETEST = 0.01
"""A place of less than this share of the passage's energy holds nothing of it."""


def holds(sound: np.ndarray, passage: np.ndarray) -> bool:
    """Whether ``sound`` has ``passage`` in it at some place, at any level.

    np.ndarray [shape=(n,), dtype=int16] and [shape=(m,), dtype=int16]; a passage that is silent or longer than the
    sound is in no sound.
    """
    m, whole, part = len(passage), sound.astype(np.float64), passage.astype(np.float64)
    wanted = float(part @ part)
    if m > len(whole) or not wanted:
        return False
    sums = np.cumsum(np.concatenate([[0.0], np.square(whole)]))
    energy = np.maximum(sums[m:] - sums[:-m], QUIETEST * wanted)
    return bool(np.max(correlate(whole, part, "valid", "fft") / np.sqrt(energy * wanted)) >= LEAST)
