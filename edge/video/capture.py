"""Pictures that come by themselves, from a camera, a capture card or a live stream: the newest is wanted."""

import time
from pathlib import Path
from typing import Any

from edge.errors import MediaError, UsageError
from edge.video import opencv
from edge.video.opencv import capture_device
from edge.video.sampling import SampledCapture
from edge.video.source import Frame


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


class LiveCapture(SampledCapture):
    """The newest picture, at most ``frames_per_s`` a second; those between are dropped, so that none is stale."""

    def __init__(self, capture: Any, description: str, *, frames_per_s: float):
        """Takes over an opened cv2.VideoCapture. Raises MediaError when no first picture comes."""
        super().__init__(capture, frames_per_s=frames_per_s)
        self.description = description
        self._began_s = self._arrived_s = time.monotonic()
        self._lives = False
        self._next = self._take()
        self._lives = True
        if self._next is None:
            self.close()
            raise MediaError(f"{description} brings no picture that can be decoded, as in AV1 or encrypted streams")

    def read(self) -> Frame:
        """Raises MediaError when no picture comes within the capture's time-out."""
        frame = self._first_or_next()
        if frame is None:
            raise MediaError(f"{self.description} delivers no pictures any more; is it connected?")
        return frame

    def arrived_at(self) -> float:
        """When a picture last came, wanted or not, in seconds of time.monotonic."""
        return self._arrived_s

    def _grab(self) -> bool:
        """After a read that timed out, FFmpeg hands out pictures that it still held: those are no new ones.

        The first picture may take longer: a stream is joined between two that can be decoded alone.
        """
        began_s = time.perf_counter()
        grabbed = super()._grab()
        return grabbed and not (self._lives and time.perf_counter() - began_s >= opencv.SILENT_S)

    def _time_s(self) -> float:
        self._arrived_s = time.monotonic()
        return self._arrived_s - self._began_s
