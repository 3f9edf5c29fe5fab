"""Sound on disk or in memory, of which windows are cut."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


class SoundBank:
    """Pieces of sound, np.ndarray [shape=(n,), dtype=int16], memory-mapped or not."""

    def __init__(self, pieces: Sequence[np.ndarray]):
        self._pieces = list(pieces)
        self.lengths = np.array([len(piece) for piece in pieces], np.int64)

    def __len__(self) -> int:
        return len(self._pieces)

    def cut(self, numbers: np.ndarray, starts: np.ndarray, samples: int, *, lead: int = 0) -> Tensor:
        """Of each piece (n,) the samples from ``starts`` (n,) on: float32 (n, lead + samples) at int16's scale.

        ``lead`` samples are what is heard before them; before the piece there is silence. A start before the piece,
        or so late that the piece would end, is moved inside.
        """
        spans = np.zeros((len(numbers), lead + samples), np.float32)
        for span, number, start in zip(spans, numbers, starts, strict=True):
            piece = self._pieces[number]
            start = max(0, min(int(start), len(piece) - samples))
            before, after = piece[max(0, start - lead) : start], piece[start : start + samples]
            span[lead - len(before) : lead] = before
            span[lead : lead + len(after)] = after
        return torch.from_numpy(spans)
