"""What every teacher offers, so that training and the catalogue need not know which one it is.

A teacher is a large pretrained model whose embeddings a student learns to hit, or that understands a catalogue on the
host. It takes sound, pictures or text, and says at which rate and size; ``open_any`` (open.py) opens one by name.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np


class Declared(Protocol):
    """What teachers of every kind say of themselves."""

    name: str
    dimension: int
    licence: str


class Teacher(Declared, Protocol):
    """A teacher of sound."""

    rate_hz: int
    """Sample rate of the windows that it takes."""
    window_samples: int
    """Length of a window; a longer one is cut at its end."""

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


class PictureTeacher(Declared, Protocol):
    """A teacher of pictures."""

    side_px: int
    """Of the square that it takes; the whole picture is squeezed into it, as the device does."""

    def embed(self, pictures: np.ndarray) -> np.ndarray:
        """np.ndarray [shape=(n, side, side, 3), dtype=uint8], RGB -> float32 (n, dimension), not normalised."""
        ...


class TextTeacher(Declared, Protocol):
    """A teacher of text."""

    most_tokens: int
    """A longer text is cut at its end."""

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Texts -> float32 (n, dimension), not normalised."""
        ...


AnyTeacher = Teacher | PictureTeacher | TextTeacher


def declaration(teacher: AnyTeacher) -> dict[str, object]:
    """What a teacher says of itself, as a document: name, dimension, licence, and its rate and window."""
    window = {key: value for key in ("rate_hz", "window_samples", "side_px", "most_tokens")
              if (value := getattr(teacher, key, None)) is not None}
    return {"name": teacher.name, "dimension": teacher.dimension, "licence": teacher.licence, **window}
