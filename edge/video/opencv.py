"""OpenCV's VideoCapture, quiet and on few threads."""

import os
from typing import Any

from edge.errors import RuntimeMissingError

OPEN_TIMEOUT_MS = 3000
READ_TIMEOUT_MS = 3000
"""Without these a stalled stream holds a reader for 90 s."""


def opencv() -> Any:
    """The cv2 module. Raises RuntimeMissingError when it is not installed."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        import cv2
    except ImportError as error:
        raise RuntimeMissingError("OpenCV is not installed; pip install 'roomtone[tv]'") from error
    cv2.setNumThreads(1)
    return cv2


def open_capture(location: str) -> Any:
    """A VideoCapture with time-outs; ``isOpened`` says whether it worked. V4L2 devices take no time-outs."""
    cv2 = opencv()
    if location.startswith("/dev/"):
        return cv2.VideoCapture(location, cv2.CAP_V4L2)
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS]
    return cv2.VideoCapture(location, cv2.CAP_FFMPEG, limits)
