"""Pieces of any length to blocks of one length."""

from collections import deque

import numpy as np

from edge.audio.source import AudioBlock


class BlockCutter:
    """Samples go in as they come and come out as blocks; each is copied once."""

    def __init__(self, block_samples: int, sample_rate_hz: int):
        self._block_samples, self._rate_hz = block_samples, sample_rate_hz
        self._pieces: deque[np.ndarray] = deque()
        self._waiting = self._given = 0

    @property
    def full(self) -> bool:
        """Whether a whole block waits."""
        return self._waiting >= self._block_samples

    def put(self, samples: np.ndarray) -> None:
        """np.ndarray [shape=(n,), dtype=int16], kept without a copy until it is taken."""
        if samples.size:
            self._pieces.append(samples)
            self._waiting += samples.size

    def take(self) -> AudioBlock | None:
        """The next block; what is left when there is no whole one; None when nothing is."""
        block = np.empty(min(self._waiting, self._block_samples), np.int16)
        filled = 0
        while filled < block.size:
            piece = self._pieces.popleft()
            used = min(piece.size, block.size - filled)
            block[filled : filled + used] = piece[:used]
            filled += used
            if used < piece.size:
                self._pieces.appendleft(piece[used:])
        return self._stamped(block) if block.size else None

    def _stamped(self, block: np.ndarray) -> AudioBlock:
        start_s = self._given / self._rate_hz
        self._given += block.size
        self._waiting -= block.size
        return AudioBlock(block, start_s)
