"""Pictures from a URL: a film that is somewhere else, or a live stream."""

from edge.errors import MediaError
from edge.video.capture import LiveCapture
from edge.video.film import Film
from edge.video.opencv import TIMEOUT_S, capture_film, opencv
from edge.video.source import VideoSource

FILMS = ("http:", "https:", "tcp:")
"""Where a film with an end is handed out as fast as it is read; other servers keep to its time, and are live."""


def open_stream(url: str, *, frames_per_s: float, paced: bool) -> VideoSource:
    """Raises MediaError when it does not open in time or brings no picture that can be decoded."""
    name = without_secrets(url)
    capture = capture_film(url)
    if not capture.isOpened():
        raise MediaError(
            f"{name}: no film or stream there that opens within {TIMEOUT_S} s; check the address, and write an "
            "mp4 for the web with ffmpeg -movflags +faststart"
        )
    if url.startswith(FILMS) and capture.get(opencv().CAP_PROP_FRAME_COUNT) > 0:
        return Film(capture, name, frames_per_s=frames_per_s, paced=paced, whole=True)
    return LiveCapture(capture, f"stream {name}", frames_per_s=frames_per_s)


def without_secrets(url: str) -> str:
    """A URL as it may stand in a message: without user, password and query."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"
