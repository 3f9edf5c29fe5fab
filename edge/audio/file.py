"""A file's sound, never whole in memory."""

from pathlib import Path

import numpy as np

from edge.audio.blocks import BlockCutter
from edge.audio.decoding import decode
from edge.audio.resampling import MonoResampler
from edge.audio.source import AudioBlock
from edge.errors import MediaError
from edge.pace import Pace


class SoundFile:
    """A sound file or a film's sound track in blocks of equal length; the last may be shorter.

    Of n samples per channel at rate r it gives round(n * sample_rate_hz / r). A sample that is not a finite number
    counts as silence; ``replaced_samples`` says how many there were.
    """

    def __init__(self, path: Path, *, sample_rate_hz: int, block_samples: int, paced: bool):
        """Raises MediaError when the file holds no sound that can be decoded."""
        self.description = f"file {path.name}"
        self._rate_hz = sample_rate_hz
        self._pace = Pace() if paced else None
        self._chunks = decode(path)
        self._resampler: MonoResampler | None = None
        self._blocks = BlockCutter(block_samples, sample_rate_hz)
        self._ended = False
        self._next = self._take()
        if self._next is None:
            raise MediaError(f"{path}: holds no sound; give a file of some length")

    @property
    def replaced_samples(self) -> int:
        """Samples that were not finite numbers and were taken as silence."""
        return self._resampler.replaced_samples if self._resampler else 0

    def read(self) -> AudioBlock | None:
        """Raises MediaError when the file turns out to be damaged after its beginning."""
        block, self._next = self._next or self._take(), None
        if block and self._pace:
            self._pace.wait_until(0.0)
            self._pace.wait_until(block.start_s + block.samples.size / self._rate_hz)
        return block

    def _take(self) -> AudioBlock | None:
        while not self._blocks.full and not self._ended:
            self._blocks.put(self._resampled())
        return self._blocks.take()

    def _resampled(self) -> np.ndarray:
        """The next piece at the wanted rate; after the file's last one, what the filter still held."""
        chunk = next(self._chunks, None)
        if chunk is not None:
            if self._resampler is None:
                self._resampler = MonoResampler(chunk.sample_rate_hz, self._rate_hz)
            return self._resampler.push(chunk.samples)
        self._ended = True
        return self._resampler.flush() if self._resampler else np.empty(0, np.int16)

    def close(self) -> None:
        self._chunks.close()
        self._next, self._ended = None, True
        self._blocks = BlockCutter(1, self._rate_hz)

    def __enter__(self) -> "SoundFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_sound_file(path: Path) -> bool:
    """Whether libsndfile takes it for a sound file (with or without a cover picture in it)."""
    try:
        import soundfile
    except ImportError:
        return False
    try:
        soundfile.info(str(path))
    except (soundfile.LibsndfileError, OSError, TypeError):
        return False
    return True
