"""What films, cameras and streams have in common: every picture is taken, the wanted ones are converted."""

from abc import ABC, abstractmethod
from typing import Any, Self

from edge.video.opencv import opencv
from edge.video.source import Frame
from edge.video.timing import Sampler


class SampledCapture(ABC):
    """At most ``frames_per_s`` pictures of an opened cv2.VideoCapture; those between are dropped unconverted."""

    def __init__(self, capture: Any, *, frames_per_s: float):
        self._cv2, self._capture = opencv(), capture
        self._sampler = Sampler(frames_per_s)
        self._next: Frame | None = None
        """The first picture: taken when it is opened, so that what brings none is refused then."""

    @abstractmethod
    def _time_s(self) -> float:
        """Called once for each grabbed picture: when it is seen, in seconds since the source began."""

    def _take(self) -> Frame | None:
        """The next wanted picture; None when none comes any more."""
        while self._grab():
            time_s = self._time_s()
            if self._sampler.wants(time_s):
                decoded, image = self._capture.retrieve()
                if decoded and image is not None:
                    return Frame(self._cv2.cvtColor(image, self._cv2.COLOR_BGR2RGB), time_s)
        return None

    def _grab(self) -> bool:
        """Take the next picture, undecoded; False when none comes any more."""
        return bool(self._capture.grab())

    def _first_or_next(self) -> Frame | None:
        frame, self._next = self._next or self._take(), None
        return frame

    def close(self) -> None:
        self._next = None
        self._capture.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
