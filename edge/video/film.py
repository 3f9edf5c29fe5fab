"""A film file, looked at a few times a second; what lies between is skipped without being converted."""

import time
from pathlib import Path

from edge.errors import MediaError
from edge.video.opencv import open_capture, opencv
from edge.video.source import Frame

FALLBACK_FRAMES_PER_S = 25.0
MAX_RATE = 1000.0


class Film:
    """Frames at their own time stamps, at most ``frames_per_s`` of them."""

    def __init__(self, path: Path, *, frames_per_s: float, paced: bool):
        """Raises MediaError when there is no picture in the file that can be decoded."""
        self._cv2 = opencv()
        self.description = f"film {path.name}"
        self._path, self._interval_s, self._paced = path, 1 / frames_per_s, paced
        self._capture = open_capture(str(path))
        if not self._capture.isOpened():
            raise MediaError(f"{path}: not a film that can be decoded, or one without pictures; "
                             "try it with ffprobe, or as an audio source")
        rate = self._capture.get(self._cv2.CAP_PROP_FPS)
        self._rate = rate if 0 < rate <= MAX_RATE else FALLBACK_FRAMES_PER_S
        self._index = 0
        self._next_s = 0.0
        self._began_s: float | None = None
        self._first = self._decode()
        if self._first is None:
            raise MediaError(f"{path}: opens, but no picture can be decoded (AV1 and encrypted films are such); "
                             "convert it, for example ffmpeg -i IN -c:v libx264 OUT.mp4")

    def read(self) -> Frame | None:
        frame, self._first = (self._first, None) if self._first else (self._decode(), None)
        if frame and self._paced:
            self._wait_until(frame.time_s)
        return frame

    def _decode(self) -> Frame | None:
        """Skip to the first frame at or after the next wanted time, and convert that one."""
        while self._capture.grab():
            time_s = self._index / self._rate
            self._index += 1
            if time_s + 1e-6 < self._next_s:
                continue
            decoded, image = self._capture.retrieve()
            if decoded and image is not None:
                self._next_s += self._interval_s
                return Frame(self._cv2.cvtColor(image, self._cv2.COLOR_BGR2RGB), time_s)
        return None

    def _wait_until(self, time_s: float) -> None:
        now_s = time.monotonic()
        self._began_s = now_s if self._began_s is None else self._began_s
        time.sleep(max(0.0, self._began_s + time_s - now_s))

    def close(self) -> None:
        self._capture.release()

    def __enter__(self) -> "Film":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
