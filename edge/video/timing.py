"""When pictures are seen, and which of them are wanted."""

LONGEST_STEP_S = 10.0
"""Time stamps that jump further than this, or back, do not say how much time has passed."""
TOLERANCE_S = 0.001
"""Many films round their time stamps to milliseconds."""


class FilmClock:
    """Seconds since a film's first picture, from its time stamps; never backwards."""

    def __init__(self, frames_per_s: float):
        """``frames_per_s`` is the film's own rate, for where time stamps are missing or broken."""
        self._frame_s = 1 / frames_per_s
        self._stamp_s: float | None = None
        self._time_s = 0.0

    def at(self, stamp_s: float) -> float:
        """The time of the next picture, whose time stamp is ``stamp_s``."""
        if self._stamp_s is not None:
            step_s = stamp_s - self._stamp_s
            self._time_s += step_s if 0 < step_s <= LONGEST_STEP_S else self._frame_s
        self._stamp_s = stamp_s
        return self._time_s


class Sampler:
    """Wants the first picture of each interval of 1 / ``frames_per_s`` seconds."""

    def __init__(self, frames_per_s: float):
        self._interval_s = 1 / frames_per_s
        self._next = 0

    def wants(self, time_s: float) -> bool:
        """Whether the picture at this time is wanted; if so, the next is wanted from the next interval on."""
        interval = int((time_s + TOLERANCE_S) / self._interval_s)
        if interval < self._next:
            return False
        self._next = interval + 1
        return True
