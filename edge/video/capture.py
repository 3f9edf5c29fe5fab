"""Pictures that come by themselves, from a camera, a capture card or a live stream: the newest is wanted."""

import time
from pathlib import Path
from typing import Any

from edge.errors import MediaError, UsageError
from edge.video.opencv import capture_device, opencv
from edge.video.source import Frame
from edge.video.timing import Sampler


def open_camera(device: str, *, frames_per_s: float) -> "LiveCapture":
    """A V4L2 device by its path. Raises MediaError, listing the devices that there are, or UsageError."""
    if not device.startswith("/dev/"):
        raise UsageError(f"video source 'v4l2:{device}': name the device by its path, as v4l2:/dev/video0")
    capture = capture_device(device)
    if not capture.isOpened():
        there = ", ".join(sorted(map(str, Path("/dev").glob("video*")))) or "none"
        raise MediaError(
            f"camera {device} cannot be opened; plug it in, or stop what else uses it (devices there are: {there})"
        )
    return LiveCapture(capture, f"camera {device}", frames_per_s=frames_per_s)


class LiveCapture:
    """At most ``frames_per_s`` pictures; those between are taken and dropped, so that none is stale."""

    def __init__(self, capture: Any, description: str, *, frames_per_s: float):
        """Takes over an opened cv2.VideoCapture. Raises MediaError when no first picture comes."""
        self._cv2, self._capture = opencv(), capture
        self.description = description
        self._began_s = time.monotonic()
        self._sampler = Sampler(frames_per_s)
        self._next = self._take()
        if self._next is None:
            self.close()
            raise MediaError(f"{description} brings no picture that can be decoded, as in AV1 or encrypted streams")

    def read(self) -> Frame | None:
        """Raises MediaError when no picture comes within the capture's time-out."""
        frame, self._next = self._next or self._take(), None
        if frame is None:
            raise MediaError(f"{self.description} delivers no pictures any more; is it connected?")
        return frame

    def _take(self) -> Frame | None:
        while self._capture.grab():
            time_s = time.monotonic() - self._began_s
            if self._sampler.wants(time_s):
                decoded, image = self._capture.retrieve()
                if decoded and image is not None:
                    return Frame(self._cv2.cvtColor(image, self._cv2.COLOR_BGR2RGB), time_s)
        return None

    def close(self) -> None:
        self._next = None
        self._capture.release()

    def __enter__(self) -> "LiveCapture":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
