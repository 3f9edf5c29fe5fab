"""Films whose every picture says its number, written through PyAV."""

import threading
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT = 160, 96


def picture(number: int) -> np.ndarray:
    """RGB; the upper half's red and the lower half's blue tell the number, in steps that any codec keeps."""
    image = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    image[: HEIGHT // 2, :, 0] = 30 + 20 * (number % 10)
    image[HEIGHT // 2 :, :, 2] = 30 + 20 * (number // 10 % 10)
    return image


def number_of(image: np.ndarray) -> int:
    """The inverse of picture."""
    inner = image.astype(float)
    red, blue = inner[8 : HEIGHT // 2 - 8, :, 0].mean(), inner[HEIGHT // 2 + 8 : -8, :, 2].mean()
    return round((red - 30) / 20) + 10 * round((blue - 30) / 20)


def write(
    path: Path, times_ms: Iterable[int], *, codec: str = "libx264", options: dict[str, str] | None = None
) -> Path:
    """A film whose pictures are seen at the given times."""
    with av.open(str(path), "w", options=options or {}) as film:
        stream = film.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000 if codec != "mpeg4" else 25)
        for number, time_ms in enumerate(times_ms):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            frame.time_base, frame.pts = Fraction(1, 1000), time_ms
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    return path


def broadcast(url: str, stopping: threading.Event) -> None:
    """Send pictures 0, 1, ... 99, 0 ... in about real time, 25 a second, until told to stop or for 40 s."""
    with av.open(url, "w", format="mpegts") as sent:
        stream = sent.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = WIDTH, HEIGHT, "yuv420p", 5
        for number in range(1000):
            frame = av.VideoFrame.from_ndarray(picture(number % 100), format="rgb24")
            frame.time_base, frame.pts = Fraction(1, 25), number
            sent.mux(stream.encode(frame))
            if stopping.wait(0.04):
                break


def at_25_a_second(count: int) -> range:
    return range(0, 40 * count, 40)
