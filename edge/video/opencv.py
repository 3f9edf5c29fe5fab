"""OpenCV and its VideoCapture: quiet, with time-outs, on few threads."""

import os
from typing import Any

from edge.errors import RuntimeMissingError

TIMEOUT_S = 3
"""How long opening or one read may take; OpenCV's own limits are 10 s for a camera and 30 s for a stream."""
SILENT_S = 1.5
"""How long a live source may bring no picture: the limit on a read over RTSP."""
MOST_PIXELS = 1 << 26
"""Of a picture file: OpenCV decodes sixteen times as many, for half a minute, of a file of a few bytes."""
DECODER_THREADS = 2
"""One core of a small board does not decode 1080p in real time; more threads hold more pictures in memory."""


def opencv() -> Any:
    """The cv2 module. Raises RuntimeMissingError when it is not installed."""
    # OpenCV reads these where it has no other setting; whoever set them keeps what they set.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MOST_PIXELS))
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(TIMEOUT_S))
    try:
        import cv2
    except ImportError as error:
        raise RuntimeMissingError("OpenCV is not installed; run pip install 'roomtone[tv]'") from error
    cv2.setNumThreads(1)
    return cv2


def capture_device(device: str) -> Any:
    """A V4L2 device as a cv2.VideoCapture; ``isOpened`` says whether it worked."""
    cv2 = opencv()
    return cv2.VideoCapture(device, cv2.CAP_V4L2)


def capture_film(location: str) -> Any:
    """A file or a URL, decoded by FFmpeg, as a cv2.VideoCapture; ``isOpened`` says whether it worked."""
    cv2 = opencv()
    read_s = SILENT_S if location.startswith("rtsp:") else TIMEOUT_S
    settings = {
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: TIMEOUT_S * 1000,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC: round(read_s * 1000),
        cv2.CAP_PROP_N_THREADS: DECODER_THREADS,
    }
    return cv2.VideoCapture(location, cv2.CAP_FFMPEG, [number for pair in settings.items() for number in pair])
