"""What every teacher of sound offers, so that training and the catalogue need not know which one it is."""

from typing import Protocol

import numpy as np


class Teacher(Protocol):
    """A large pretrained model whose embeddings the students learn to hit. See teachers.open_teacher."""

    name: str
    rate_hz: int
    """Sample rate of the windows that it takes."""
    window_samples: int
    """Length of a window; a longer one is cut at its end."""
    dimension: int
    licence: str

    def embed(self, windows: np.ndarray) -> np.ndarray:
        """Embed windows of sound.

        Parameters
        ----------
        windows : np.ndarray [shape=(n, samples), dtype=int16 or float32 in -1..1], samples >= window_samples

        Returns
        -------
        np.ndarray [shape=(n, dimension), dtype=float32]
            Not normalised, not projected (projection.py does that).
        """
        ...
