"""Any rate and any number of channels to int16 mono at one rate, piece by piece without gaps."""

from typing import Any

import numpy as np

from edge.errors import RuntimeMissingError

FULL_SCALE = 32768


class MonoResampler:
    """Keeps the filter's state between pieces: how a sound is cut changes no sample, and n samples in are
    round(n * to_hz / from_hz) samples out once it is flushed."""

    def __init__(self, from_hz: int, to_hz: int):
        self._stream = _soxr().ResampleStream(from_hz, to_hz, 1, dtype="float32") if from_hz != to_hz else None
        self.replaced_samples = 0
        """How many sample times had a NaN or an infinity, as a broken encoder leaves; they count as silence."""

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Take in samples, give out what is ready.

        np.ndarray [shape=(n, channels), dtype=float32], full scale -1 to 1 -> [shape=(m,), dtype=int16]. The
        channels are averaged; what exceeds full scale is clipped. int16 mono at equal rates passes unchanged.
        """
        mono = self._without_gaps(samples).mean(axis=1, dtype=np.float32)
        np.clip(mono, -1, 1, out=mono)
        return _to_int16(self._stream.resample_chunk(mono) if self._stream else mono)

    def flush(self) -> np.ndarray:
        """End the sound: what the filter still holds."""
        nothing = np.empty(0, np.float32)
        return _to_int16(self._stream.resample_chunk(nothing, last=True) if self._stream else nothing)

    def _without_gaps(self, samples: np.ndarray) -> np.ndarray:
        finite = np.isfinite(samples)
        if finite.all():
            return samples
        self.replaced_samples += int((~finite).any(axis=1).sum())
        return np.where(finite, samples, np.float32(0))


def _to_int16(samples: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def _soxr() -> Any:
    try:
        import soxr
    except ImportError as error:
        raise RuntimeMissingError("soxr is not installed; run pip install 'roomtone[speaker]'") from error
    return soxr
