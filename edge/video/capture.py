"""A camera, a capture card or a network stream: pictures come by themselves and the newest is the one wanted."""

import time

from edge.errors import MediaError
from edge.video.opencv import open_capture, opencv
from edge.video.source import Frame


class LiveCapture:
    """At most ``frames_per_s`` pictures; those between are taken from the device and dropped, so none is stale."""

    def __init__(self, location: str, *, description: str, frames_per_s: float):
        """``location`` is a V4L2 device or a URL. Raises MediaError when it does not open."""
        self._cv2 = opencv()
        self.description = description
        self._interval_s = 1 / frames_per_s
        self._capture = open_capture(location)
        if not self._capture.isOpened():
            raise MediaError(f"{description} cannot be opened; is it connected, and is no other program using it? "
                             "(an mp4 behind a URL must be written with -movflags +faststart)")
        self._began_s = time.monotonic()
        self._next_s = 0.0

    def read(self) -> Frame | None:
        """Raises MediaError when the device or the stream delivers nothing any more."""
        while True:
            if not self._capture.grab():
                raise MediaError(f"{self.description} delivers no pictures any more; is it connected?")
            time_s = time.monotonic() - self._began_s
            if time_s < self._next_s:
                continue
            decoded, image = self._capture.retrieve()
            if not decoded or image is None:
                continue
            self._next_s = time_s + self._interval_s
            return Frame(self._cv2.cvtColor(image, self._cv2.COLOR_BGR2RGB), time_s)

    def close(self) -> None:
        self._capture.release()

    def __enter__(self) -> "LiveCapture":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
