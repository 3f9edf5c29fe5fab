"""Any rate and any number of channels to int16 mono at one rate, block by block without gaps."""

import numpy as np

from edge.errors import RuntimeMissingError

FULL_SCALE = 32768


class MonoResampler:
    """Keeps the filter's state between blocks, so that cutting a sound differently changes no sample."""

    def __init__(self, from_hz: int, to_hz: int):
        self._stream = None
        if from_hz != to_hz:
            try:
                import soxr
            except ImportError as error:
                raise RuntimeMissingError("soxr is not installed; pip install 'roomtone[speaker]'") from error
            self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32")
        self.replaced = 0
        """How many samples were not finite numbers; they count as silence."""

    def push(self, samples: np.ndarray, *, last: bool = False) -> np.ndarray:
        """Take in samples, give out what is ready.

        np.ndarray [shape=(n, channels), dtype=float32 in -1..1] -> [shape=(m,), dtype=int16]. With ``last`` the
        filter is emptied. A NaN or an infinity, which a broken encoder can leave, becomes silence and is counted.
        """
        finite = np.isfinite(samples)
        if not finite.all():
            self.replaced += int((~finite).any(axis=1).sum())
            samples = np.where(finite, samples, np.float32(0))
        mono = np.ascontiguousarray(samples.mean(axis=1, dtype=np.float32))
        if self._stream is not None:
            mono = self._stream.resample_chunk(mono, last=last)
        return np.clip(np.rint(mono * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
