"""Frames as they come to overlapping windows of a fixed number of frames."""

from collections.abc import Iterator

import numpy as np


class FrameWindow:
    """The last frames of a sound. The buffer is made once."""

    def __init__(self, *, frames: int, coefficients: int, hop_frames: int):
        """A window of ``frames`` frames every ``hop_frames``; with a longer hop, frames between are left out."""
        self._window = np.zeros((frames, coefficients), np.float32)
        self._hop_frames = hop_frames
        self.reset()

    def reset(self) -> None:
        """Forget the sound so far."""
        self._filled = self._unwanted = 0
        self.first_frame = 0
        """Number, from the sound's beginning, of the first frame of the window that is being filled."""

    def feed(self, frames: np.ndarray) -> Iterator[np.ndarray]:
        """Take in frames [shape=(n, coefficients), dtype=float32]; yield each window that they complete.

        A window [shape=(frames, coefficients)] is a view of the buffer, valid until the next is asked for.
        """
        while len(frames):
            skipped = min(self._unwanted, len(frames))
            self._unwanted -= skipped
            taken = min(len(frames) - skipped, len(self._window) - self._filled)
            self._window[self._filled : self._filled + taken] = frames[skipped : skipped + taken]
            self._filled += taken
            frames = frames[skipped + taken :]
            if self._filled == len(self._window):
                yield self._window
                self._advance()

    def repeated(self) -> np.ndarray | None:
        """What is there so far, repeated from its beginning until it fills a window; None when nothing is there."""
        if self._filled == 0:
            return None
        self._window[:] = np.resize(self._window[: self._filled], self._window.shape)
        return self._window

    def _advance(self) -> None:
        kept = max(0, len(self._window) - self._hop_frames)
        self._window[:kept] = self._window[len(self._window) - kept :]
        self._filled = kept
        self._unwanted = max(0, self._hop_frames - len(self._window))
        self.first_frame += self._hop_frames
