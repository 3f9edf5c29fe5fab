"""Where pictures come from: a camera or capture card, a film file, a stream; looked at a few times a second."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from edge.errors import UsageError
from edge.media import existing_file

STREAM_SCHEMES = ("http", "https", "rtsp", "rtmp", "udp", "rtp", "tcp")
FASTEST_FRAMES_PER_S = 1000.0


@dataclass(frozen=True)
class Frame:
    """One picture and when it is seen."""

    image: np.ndarray
    """[shape=(height, width, 3), dtype=uint8], RGB."""
    time_s: float
    """Seconds since the source began."""


class VideoSource(Protocol):
    """A context manager. ``read`` gives the next picture that is wanted, or None at the end.

    ``read`` raises MediaError when the source fails, and never waits for ever. One thread reads and closes.
    """

    @property
    def description(self) -> str: ...

    def read(self) -> Frame | None: ...

    def close(self) -> None: ...

    def __enter__(self) -> "VideoSource": ...

    def __exit__(self, *_: object) -> None: ...


def open_video(spec: str, *, frames_per_s: float, paced: bool = False) -> VideoSource:
    """Open ``v4l2:/dev/video0``, ``file:PATH``, a plain path or a URL.

    At most ``frames_per_s`` pictures a second come out. ``paced`` hands a film (of a file, or of a URL that has an
    end) out in real time. Raises MediaError naming the source and the fix, UsageError for a spec of another form,
    RuntimeMissingError when OpenCV is not installed.
    """
    from edge.video.capture import open_camera
    from edge.video.film import open_film
    from edge.video.stream import open_stream

    if not 0 < frames_per_s <= FASTEST_FRAMES_PER_S:
        raise UsageError(f"{frames_per_s} pictures a second must be above 0 and at most {FASTEST_FRAMES_PER_S:g}")
    kind, colon, rest = spec.partition(":")
    if kind == "v4l2" and colon:
        return open_camera(rest, frames_per_s=frames_per_s)
    if kind in STREAM_SCHEMES and rest.startswith("//"):
        return open_stream(spec, frames_per_s=frames_per_s, paced=paced)
    path = rest if kind == "file" and colon else spec
    if not path:
        raise UsageError(f"video source {spec!r}: give v4l2:/dev/video0, file:PATH or a URL")
    return open_film(existing_file(path), frames_per_s=frames_per_s, paced=paced)
