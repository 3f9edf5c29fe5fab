"""Where sound comes from: a microphone, a sound file or a film's sound track, all as int16 mono at one rate."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from edge.errors import MediaError, UsageError


@dataclass(frozen=True)
class AudioBlock:
    """``samples``: np.ndarray [shape=(n,), dtype=int16], mono; ``start_s``: seconds since the source began."""

    samples: np.ndarray
    start_s: float


class AudioSource(Protocol):
    """A context manager. ``read`` gives the next block, gap-free, or None at the end.

    ``read`` raises MediaError when the source fails; a microphone that delivers nothing is one that failed.
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
    and the fix, UsageError for a spec of another form.
    """
    block_samples = sample_rate_hz * block_ms // 1000
    kind, _, rest = spec.partition(":")
    if kind == "mic":
        from edge.audio.microphone import Microphone

        return Microphone(rest or None, sample_rate_hz=sample_rate_hz, block_samples=block_samples)
    path = Path(rest if kind == "file" else spec)
    if not str(rest if kind == "file" else spec):
        raise UsageError(f"audio source {spec!r}: give mic, mic:NAME or file:PATH")
    from edge.audio.file import FileSource

    return FileSource(_existing(path), sample_rate_hz=sample_rate_hz, block_samples=block_samples, paced=paced)


def _existing(path: Path) -> Path:
    if path.is_dir():
        raise MediaError(f"{path} is a folder; give one sound or film file in it")
    if not path.is_file():
        raise MediaError(f"{path}: there is no such file")
    if path.stat().st_size == 0:
        raise MediaError(f"{path} is empty; copy it again")
    return path
