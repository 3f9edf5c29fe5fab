"""Where pictures come from: a camera or capture card (V4L2), a film file or a stream, looked at a few times a second."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from edge.errors import MediaError, UsageError

STREAM_SCHEMES = ("http", "https", "rtsp", "rtmp", "udp", "rtp", "tcp")


@dataclass(frozen=True)
class Frame:
    """``image``: np.ndarray [shape=(height, width, 3), dtype=uint8], RGB; ``time_s``: seconds since the source began."""

    image: np.ndarray
    time_s: float


class VideoSource(Protocol):
    """A context manager. ``read`` gives the next picture that is wanted, or None at the end.

    ``read`` raises MediaError when the source fails.
    """

    @property
    def description(self) -> str: ...

    def read(self) -> Frame | None: ...

    def close(self) -> None: ...

    def __enter__(self) -> "VideoSource": ...

    def __exit__(self, *_: object) -> None: ...


def open_video(spec: str, *, frames_per_s: float, paced: bool = False) -> VideoSource:
    """Open ``v4l2:/dev/video0``, ``file:PATH``, a plain path or a URL.

    ``paced`` hands a file out in real time. Raises MediaError naming the source and the fix, UsageError for a
    spec of another form.
    """
    from edge.video.capture import LiveCapture
    from edge.video.film import Film

    kind, _, rest = spec.partition(":")
    if kind == "v4l2":
        if not rest:
            raise UsageError(f"video source {spec!r}: name the device, as v4l2:/dev/video0")
        return LiveCapture(rest, description=f"camera {rest}", frames_per_s=frames_per_s)
    if kind in STREAM_SCHEMES and rest.startswith("//"):
        return LiveCapture(spec, description=f"stream {_without_secrets(spec)}", frames_per_s=frames_per_s)
    path = Path(rest if kind == "file" else spec)
    if not str(rest if kind == "file" else spec):
        raise UsageError(f"video source {spec!r}: give v4l2:DEVICE, file:PATH or a URL")
    return Film(_existing(path), frames_per_s=frames_per_s, paced=paced)


def _existing(path: Path) -> Path:
    if path.is_dir():
        raise MediaError(f"{path} is a folder; give one film file in it")
    if not path.is_file():
        raise MediaError(f"{path}: there is no such file")
    if path.stat().st_size == 0:
        raise MediaError(f"{path} is empty; copy it again")
    return path


def _without_secrets(url: str) -> str:
    """A URL as it may stand in logs: no user, no password, no query."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"
