"""What a capturing thread and a reading thread share: samples in a ring of fixed size, without a lock."""

import threading
from contextlib import suppress

import numpy as np


class SampleRing:
    """One thread writes and never waits, one thread reads.

    Each side moves only its own counter, after it has copied: the other side sees whole pieces or nothing.
    """

    def __init__(self, frames: int, channels: int):
        self._samples = np.zeros((frames, channels), np.int16)
        self._written = self._taken = 0
        self._bell = threading.Lock()
        self._bell.acquire()

    @property
    def waiting(self) -> int:
        """Frames that can be read."""
        return self._written - self._taken

    def write(self, block: np.ndarray) -> int:
        """Copy as much of the block [shape=(n, channels), dtype=int16] as fits; returns how many frames did not."""
        size = len(self._samples)
        count = min(len(block), size - self.waiting)
        start = self._written % size
        head = min(count, size - start)
        self._samples[start : start + head] = block[:head]
        self._samples[: count - head] = block[head:count]
        self._written += count
        self.ring_bell()
        return len(block) - count

    def take(self) -> np.ndarray:
        """All that waits, copied: np.ndarray [shape=(n, channels), dtype=int16]."""
        size, count = len(self._samples), self.waiting
        start = self._taken % size
        head = self._samples[start : start + count]
        taken = np.concatenate((head, self._samples[: count - len(head)]))
        self._taken += count
        return taken

    def wait(self, timeout_s: float) -> bool:
        """Let the reader sleep until the bell rings; False when it did not within ``timeout_s``."""
        return self._bell.acquire(timeout=timeout_s)

    def ring_bell(self) -> None:
        """Wake the reader, now or when it next waits."""
        # A lock as a flag: releasing never waits, where a condition or an event takes a lock of its own first.
        with suppress(RuntimeError):  # raised when it has rung already
            self._bell.release()
