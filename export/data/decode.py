"""Any music file to the rate that the models hear: 16 kHz, mono, int16, through the device's own decoder.

Tracker modules are the one kind of file that the device does not play; libopenmpt renders them.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edge.audio import decoding
from edge.audio.resampling import FULL_SCALE, MonoResampler
from edge.errors import MediaError
from export.data import openmpt

SAMPLE_RATE_HZ = 16_000
TRACKER_RATE_HZ = 48_000


def decode(path: Path, *, max_s: float = 600.0) -> np.ndarray:
    """Decode a sound file, or the sound of a film.

    Returns np.ndarray [shape=(n,), dtype=int16], mono at 16 kHz, at most ``max_s`` seconds from its start.
    Raises MediaError naming the file when it has no sound that can be read.
    """
    chunks = _tracker(path, max_s) if path.suffix.lower() in openmpt.SUFFIXES else _sound(path)
    samples = _resampled(chunks, int(max_s * SAMPLE_RATE_HZ))
    if len(samples) == 0:
        raise MediaError(f"{path}: holds no sound")
    return samples


def _tracker(path: Path, max_s: float) -> Iterator[decoding.Chunk]:
    with openmpt.Module(path) as module:
        rendered = module.read(TRACKER_RATE_HZ, max_s=max_s).astype(np.float32) / FULL_SCALE
        yield decoding.Chunk(TRACKER_RATE_HZ, rendered[:, np.newaxis])


def _sound(path: Path) -> Iterator[decoding.Chunk]:
    try:
        yield from decoding.decode(path)
    except OSError as error:
        raise MediaError(f"{path}: cannot be read: {error.strerror or error}") from error


def _resampled(chunks: Iterator[decoding.Chunk], limit: int) -> np.ndarray:
    """Resample without gaps and stop at ``limit`` samples."""
    resampler, parts, total = None, [np.empty(0, np.int16)], 0
    for chunk in chunks:
        resampler = resampler or MonoResampler(chunk.sample_rate_hz, SAMPLE_RATE_HZ)
        parts.append(resampler.push(chunk.samples))
        total += len(parts[-1])
        if total >= limit:
            break
    else:
        parts.append(resampler.flush() if resampler else parts[0])
    return np.concatenate(parts)[:limit]
