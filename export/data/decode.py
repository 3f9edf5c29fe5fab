"""Any music file to the rate that the models hear: 16 kHz, mono, int16."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edge.errors import MediaError
from export.data import openmpt

SAMPLE_RATE_HZ = 16_000
TRACKER_RATE_HZ = 48_000
BLOCK_FRAMES = 1 << 18


def decode(path: Path, *, max_s: float = 600.0) -> np.ndarray:
    """Decode a sound file, or the sound of a film.

    Returns np.ndarray [shape=(n,), dtype=int16], mono at 16 kHz, at most ``max_s`` seconds from its start.
    Raises MediaError naming the file when it has no sound that can be read.
    """
    blocks = _tracker(path, max_s) if path.suffix.lower() in openmpt.SUFFIXES else _sound(path)
    samples = _resampled(blocks, int(max_s * SAMPLE_RATE_HZ))
    if len(samples) == 0:
        raise MediaError(f"{path}: holds no sound")
    return samples


def _tracker(path: Path, max_s: float) -> Iterator[tuple[int, np.ndarray]]:
    with openmpt.Module(path) as module:
        yield TRACKER_RATE_HZ, module.read(TRACKER_RATE_HZ, max_s=max_s).astype(np.float32) / 32768


def _sound(path: Path) -> Iterator[tuple[int, np.ndarray]]:
    """Blocks of (rate_hz, mono float32) from libsndfile, or from FFmpeg where libsndfile knows no such format."""
    import soundfile

    try:
        file = soundfile.SoundFile(path)
    except soundfile.LibsndfileError:
        yield from _film_sound(path)
        return
    with file:
        for block in file.blocks(BLOCK_FRAMES, dtype="float32", always_2d=True):
            yield file.samplerate, block.mean(axis=1)


def _film_sound(path: Path) -> Iterator[tuple[int, np.ndarray]]:
    import av

    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise MediaError(f"{path}: has no sound track")
            mono = av.AudioResampler(format="fltp", layout="mono")
            for frame in container.decode(audio=0):
                for part in mono.resample(frame):
                    yield part.sample_rate, part.to_ndarray()[0]
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"{path}: cannot be decoded: {error}") from error


def _resampled(blocks: Iterator[tuple[int, np.ndarray]], limit: int) -> np.ndarray:
    """Resample without gaps, stop at ``limit`` samples, round to int16."""
    import soxr

    stream, parts, total = None, [], 0
    for rate_hz, block in blocks:
        stream = stream or soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32")
        parts.append(stream.resample_chunk(np.ascontiguousarray(block)))
        total += len(parts[-1])
        if total >= limit:
            break
    if stream is not None and total < limit:
        parts.append(stream.resample_chunk(np.empty(0, np.float32), last=True))
    joined = np.concatenate(parts)[:limit] if parts else np.empty(0, np.float32)
    return np.clip(np.round(np.nan_to_num(joined) * 32768), -32768, 32767).astype(np.int16)
