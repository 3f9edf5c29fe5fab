"""Health is frames that arrived: what each sense received, how loud, how regular, and since when.

A sense's health is written by its pipeline thread and read by others; every field is one assignment, so a
reader sees a recent value and never waits. Times are of the monotonic clock unless said otherwise.
"""

import math
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import numpy as np

from edge.audio.source import AudioBlock
from edge.video.source import Frame

STALE_S = 2.0
"""Without a frame for this long a sense counts as deaf."""
LIVE_STALE_S = 1.5
"""And without one of a source that tells of each that comes, wanted or not."""
RATE_WINDOW_S = 2.0
"""How long arrivals are counted before their rate is stated."""
FLOOR_DBFS = -120.0
"""The lowest level that is told apart; exact zeros have none."""


class State(StrEnum):
    OFF = "off"
    """Not asked for, or the profile does without."""
    STARTING = "starting"
    LIVE = "live"
    MUTED = "muted"
    SHED = "shed"
    """Left out to stay within the memory budget."""
    LOST = "lost"
    """The source failed; it is being reopened."""
    STALLED = "stalled"
    """The source is open, but nothing has come for STALE_S."""
    ENDED = "ended"
    """A file was played to its end."""


class SenseHealth:
    """One sense: ``audio`` counts samples, ``video`` counts pictures."""

    def __init__(
        self, sense: str, *, nominal_hz: float, stale_s: float = STALE_S, clock: Callable[[], float] = time.monotonic
    ):
        self.sense = sense
        self.description = ""
        self.error: str | None = None
        self.frames = 0
        self.embeddings = 0
        self.skipped = 0
        """Windows or pictures that took no inference: silent, blank, or like the last."""
        self.gaps = 0
        self.overflows = 0
        self.losses = 0
        """How often the source was lost."""
        self.level_dbfs: float | None = None
        self._beat_at = clock()
        """When the pipeline last showed that it runs, whether or not the source delivers."""
        self.zeros_s = 0.0
        """How long the sound has been exact zeros."""
        self._clock, self.nominal_hz, self._stale_s = clock, nominal_hz, stale_s
        self._state = State.OFF
        self._since_wall_s = time.time()
        self._last_frame_at: float | None = None
        self.arrived_at: Callable[[], float] | None = None
        """When the source in use last got a frame, wanted or not, by the clock; None where it does not say."""
        self._changed_at = clock()
        self._rate_hz: float | None = None
        self._window = (self._changed_at, 0)
        """When the counting of arrivals began, and how many have come since."""

    @property
    def state(self) -> State:
        stale_s = self._stale_s if self.arrived_at is None else LIVE_STALE_S
        live = self._state is State.LIVE
        return State.STALLED if live and self.last_frame_age_s > stale_s else self._state

    @property
    def deaf(self) -> bool:
        """Frames should arrive and do not: the answer of /healthz."""
        if self._state is State.STARTING:
            return self._clock() - self._changed_at > self._stale_s
        return self.state in (State.LOST, State.STALLED)

    @property
    def last_frame_age_s(self) -> float:
        last = self._changed_at if self._last_frame_at is None else self._last_frame_at
        return self._clock() - (last if self.arrived_at is None else max(last, self.arrived_at()))

    def beat(self) -> None:
        self._beat_at = self._clock()

    def beats(self, *, within_s: float) -> bool:
        """Whether the pipeline moved of late, or has nothing to do any more. A slow source may take its time."""
        idle = self._state in (State.OFF, State.ENDED)
        return idle or self._clock() - self._beat_at <= within_s + self._stale_s

    def enter(self, state: State, error: str | None = None) -> bool:
        """Change the state; True when it is news."""
        news = state is not self._state
        if news:
            self._since_wall_s, self._changed_at = time.time(), self._clock()
            self.losses += state is State.LOST
            self._window = (self._changed_at, 0)
            if state is not State.LIVE:
                self._last_frame_at, self._rate_hz, self.level_dbfs = None, None, None
        self._state, self.error = state, error
        return news

    def received(self, frames: int, *, level_dbfs: float | None = None) -> None:
        """Count a block of ``frames`` frames that arrived now."""
        self._last_frame_at = now = self._clock()
        began, arrived = self._window
        if now - began >= RATE_WINDOW_S:
            self._rate_hz = round((arrived + frames) / (now - began), 2)
            self._window = (now, 0)
        else:
            self._window = (began, arrived + frames)
        self.frames += frames
        self.level_dbfs = level_dbfs

    def report(self) -> dict[str, Any]:
        """The sense's part of /v1/status."""
        never = self._last_frame_at is None
        return {
            "state": self.state.value,
            "description": self.description,
            "error": self.error,
            "since_s": round(self._since_wall_s, 3),
            "nominal_hz": self.nominal_hz,
            "received_hz": self._rate_hz,
            "level_dbfs": self.level_dbfs,
            "frames": self.frames,
            "embeddings": self.embeddings,
            "skipped": self.skipped,
            "gaps": self.gaps,
            "overflows": self.overflows,
            "losses": self.losses,
            "last_frame_age_s": None if never else round(self.last_frame_age_s, 3),
        }


def count_sound(health: SenseHealth, block: AudioBlock) -> None:
    health.received(len(block.samples), level_dbfs=level_dbfs(block.samples))
    health.zeros_s = 0.0 if block.samples.any() else health.zeros_s + len(block.samples) / health.nominal_hz


def count_picture(health: SenseHealth, _frame: Frame) -> None:
    health.received(1)


def level_dbfs(samples: np.ndarray) -> float:
    """Root mean square level of a block relative to a full-scale square wave, in dB.

    np.ndarray [shape=(n,), dtype=int16], n >= 1 -> FLOOR_DBFS (silence) to 0.
    """
    floats = samples.astype(np.float32)
    mean_square = float(np.dot(floats, floats)) / (samples.size * 32768.0**2)
    return max(FLOOR_DBFS, round(10 * math.log10(mean_square), 1)) if mean_square else FLOOR_DBFS
