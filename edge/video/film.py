"""A film with an end, from a file or a URL, looked at a few times a second by its time stamps."""

from pathlib import Path
from typing import Any

from edge.errors import MediaError
from edge.pace import Pace
from edge.video.opencv import capture_film
from edge.video.sampling import SampledCapture
from edge.video.source import Frame
from edge.video.timing import FilmClock

FALLBACK_FRAMES_PER_S = 25.0
FASTEST_FRAMES_PER_S = 1000.0
MISSING_SHARE = 0.1
"""A stream that ends with more than this share of its pictures missing has broken off."""


def open_film(path: Path, *, frames_per_s: float, paced: bool) -> "Film":
    """Raises MediaError when the file has no picture that can be decoded."""
    capture = capture_film(str(path))
    if not capture.isOpened():
        raise MediaError(f"{path}: not a film, a damaged one, or one without pictures; use sound as an audio source")
    return Film(capture, f"{path}", frames_per_s=frames_per_s, paced=paced)


class Film(SampledCapture):
    """Pictures at their own time stamps; those between are decoded but not converted."""

    def __init__(self, capture: Any, name: str, *, frames_per_s: float, paced: bool, whole: bool = False):
        """Takes over an opened cv2.VideoCapture.

        With ``whole``, as for a film that comes over a network, an end before the end is an error. Raises
        MediaError when there is no picture that can be decoded.
        """
        super().__init__(capture, frames_per_s=frames_per_s)
        self._name = name
        self.description = f"film {name.rpartition('/')[2]}"
        rate = capture.get(self._cv2.CAP_PROP_FPS)
        self._expected = round(capture.get(self._cv2.CAP_PROP_FRAME_COUNT) * (1 - MISSING_SHARE)) if whole else 0
        self._decoded = 0
        self._clock = FilmClock(rate if 0 < rate <= FASTEST_FRAMES_PER_S else FALLBACK_FRAMES_PER_S)
        self._pace = Pace() if paced else None
        # The cover of a song is a film of one picture to FFmpeg, with its own clock's 90,000 ticks as the rate.
        self._next = self._take() if rate <= FASTEST_FRAMES_PER_S else None
        if self._next is None:
            self.close()
            raise MediaError(_no_picture(name, rate))

    def read(self) -> Frame | None:
        """Raises MediaError when a film that comes over a network breaks off."""
        frame = self._first_or_next()
        if frame is None and self._decoded < self._expected:
            raise MediaError(f"{self._name} broke off after {self._decoded} pictures; is the network up?")
        if frame and self._pace:
            self._pace.wait_until(frame.time_s)
        return frame

    def _time_s(self) -> float:
        self._decoded += 1
        return self._clock.at(self._capture.get(self._cv2.CAP_PROP_POS_MSEC) / 1000)


def _no_picture(name: str, rate: float) -> str:
    if rate > FASTEST_FRAMES_PER_S:
        return f"{name}: has a cover image but no film; use it as an audio source"
    return (
        f"{name}: no picture in it can be decoded, as in AV1 or encrypted films and in an mp4 from the web that has "
        "its index last; convert it: ffmpeg -i IN -c:v libx264 -pix_fmt yuv420p -movflags +faststart OUT.mp4"
    )
