"""Sound files through libsndfile, films' sound tracks through FFmpeg, never whole in memory."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edge.audio.resampling import MonoResampler
from edge.audio.source import AudioBlock
from edge.errors import MediaError, RuntimeMissingError

READ_FRAMES = 1 << 15
MAX_RATE_HZ = 768_000
MAX_CHANNELS = 64

Chunk = tuple[int, np.ndarray]
"""Sample rate in Hz, and float32 samples (n, channels) in -1..1."""


class FileSource:
    """A file's sound in blocks of equal length; the last may be shorter."""

    def __init__(self, path: Path, *, sample_rate_hz: int, block_samples: int, paced: bool):
        """Raises MediaError when the file holds no sound that can be read."""
        self.description = f"file {path.name}"
        self._path, self._rate_hz, self._block_samples = path, sample_rate_hz, block_samples
        self._clock = _Clock() if paced else None
        self._chunks = _chunks(path)
        self._resampler: MonoResampler | None = None
        self._waiting = np.empty(0, np.int16)
        self._given = 0
        self._ended = False
        self._fill()
        if not len(self._waiting):
            raise MediaError(f"{path}: holds no sound; give a file of at least a few hundredths of a second")

    @property
    def replaced_samples(self) -> int:
        """Samples that were not finite numbers and were taken as silence."""
        return self._resampler.replaced if self._resampler else 0

    def read(self) -> AudioBlock | None:
        """Raises MediaError when the file turns out to be damaged after its beginning."""
        self._fill()
        if not len(self._waiting):
            return None
        samples, self._waiting = np.split(self._waiting, [self._block_samples])
        start_s = self._given / self._rate_hz
        self._given += len(samples)
        if self._clock:
            self._clock.wait_until(self._given / self._rate_hz)
        return AudioBlock(samples, start_s)

    def _fill(self) -> None:
        """Have a whole block waiting, if the file still has one."""
        parts, ready = [self._waiting], len(self._waiting)
        while ready < self._block_samples and not self._ended:
            parts.append(self._next())
            ready += len(parts[-1])
        self._waiting = np.concatenate(parts)

    def _next(self) -> np.ndarray:
        chunk = next(self._chunks, None)
        if chunk is None:
            self._ended = True
            empty = np.empty((0, 1), np.float32)
            return self._resampler.push(empty, last=True) if self._resampler else np.empty(0, np.int16)
        rate_hz, samples = chunk
        self._resampler = self._resampler or MonoResampler(rate_hz, self._rate_hz)
        return self._resampler.push(samples)

    def close(self) -> None:
        self._chunks.close()  # type: ignore[attr-defined]
        self._ended, self._waiting = True, np.empty(0, np.int16)

    def __enter__(self) -> "FileSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Clock:
    """Hands sound out no faster than it is long."""

    def __init__(self) -> None:
        self._began_s: float | None = None

    def wait_until(self, position_s: float) -> None:
        now_s = time.monotonic()
        self._began_s = now_s if self._began_s is None else self._began_s
        time.sleep(max(0.0, self._began_s + position_s - now_s))


def _chunks(path: Path) -> Iterator[Chunk]:
    """Decode with libsndfile, or with FFmpeg what libsndfile does not know."""
    try:
        import soundfile
    except ImportError as error:
        raise RuntimeMissingError("soundfile is not installed; pip install 'roomtone[speaker]'") from error
    try:
        file = soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        yield from _film_chunks(path, f"{error}".rpartition(": ")[2].strip(" ."))
        return
    with file:
        _check(path, file.samplerate, file.channels)
        yield from _sound_chunks(path, file, soundfile.LibsndfileError)


def _sound_chunks(path: Path, file: Any, error_class: type[Exception]) -> Iterator[Chunk]:
    while True:
        try:
            samples = file.read(READ_FRAMES, dtype="float32", always_2d=True)
        except error_class as error:
            raise MediaError(f"{path}: damaged after {file.tell() / file.samplerate:.1f} s: {error}; "
                             "copy it again") from error
        if not len(samples):
            return
        yield file.samplerate, samples


def _film_chunks(path: Path, why_not_sndfile: str) -> Iterator[Chunk]:
    try:
        import av
    except ImportError as error:
        raise MediaError(f"{path}: not a sound file that libsndfile can read ({why_not_sndfile}); for films "
                         "pip install 'roomtone[tv]'") from error
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise MediaError(f"{path}: has pictures but no sound; look at it with a video source instead")
            yield from _decoded(path, container, av)
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"{path}: not a sound or film file that can be decoded: "
                         f"{getattr(error, 'strerror', None) or error}") from error


def _decoded(path: Path, container: Any, av: Any) -> Iterator[Chunk]:
    stream = container.streams.audio[0]
    _check(path, stream.rate, stream.channels)
    mono = av.AudioResampler(format="fltp", layout="mono", rate=stream.rate)
    for frame in container.decode(stream):
        for part in mono.resample(frame):
            yield part.sample_rate, part.to_ndarray().T
    for part in mono.resample(None):
        yield part.sample_rate, part.to_ndarray().T


def _check(path: Path, rate_hz: int, channels: int) -> None:
    if not 1000 <= rate_hz <= MAX_RATE_HZ or not 1 <= channels <= MAX_CHANNELS:
        raise MediaError(f"{path}: {channels} channels at {rate_hz} Hz; from 1 to {MAX_CHANNELS} channels at "
                         f"1,000 to {MAX_RATE_HZ:,} Hz can be read")
