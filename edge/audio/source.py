"""Where sound comes from: a microphone, a sound file or a film's sound track, all as int16 mono at one rate."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from edge.errors import UsageError
from edge.media import existing_file


@dataclass(frozen=True)
class AudioBlock:
    """A piece of sound; the next one follows without a gap."""

    samples: np.ndarray
    """[shape=(n,), dtype=int16], mono."""
    start_s: float
    """Seconds of sound since the source began."""


class AudioSource(Protocol):
    """A context manager. ``read`` gives the next block, gap-free, or None at the end.

    Every block but the last of a file has the same length. ``read`` raises MediaError when the source fails; a
    microphone that delivers nothing is one that failed, so ``read`` never waits for ever. One thread reads and
    closes.
    """

    @property
    def description(self) -> str: ...

    def read(self) -> AudioBlock | None: ...

    def close(self) -> None: ...

    def __enter__(self) -> "AudioSource": ...

    def __exit__(self, *_: object) -> None: ...


def open_audio(
    spec: str, *, sample_rate_hz: int = 16000, block_ms: int = 80, paced: bool = False
) -> AudioSource:
    """Open ``mic``, ``mic:NAME``, ``file:PATH`` or a plain path.

    ``paced`` hands a file out in real time; otherwise as fast as it is read. Raises MediaError naming the source
    and the fix, UsageError for a spec of another form, RuntimeMissingError naming the package that is missing.
    """
    block_samples = sample_rate_hz * block_ms // 1000
    if block_samples < 1:
        raise UsageError(f"blocks of {block_ms} ms at {sample_rate_hz} Hz hold no sample; use 10 ms or more")
    kind, colon, name = spec.partition(":")
    if kind == "mic":
        from edge.audio.microphone import Microphone

        return Microphone(name or None, sample_rate_hz=sample_rate_hz, block_samples=block_samples)
    path = name if kind == "file" and colon else spec
    if not path:
        raise UsageError(f"audio source {spec!r}: give mic, mic:NAME or file:PATH")
    from edge.audio.file import SoundFile

    return SoundFile(
        existing_file(path), sample_rate_hz=sample_rate_hz, block_samples=block_samples, paced=paced
    )
