"""Leaves work out before the memory budget is reached, in a fixed order, and takes it up again.

Order, mildest first: what is only cached is given back (that costs a moment of reading, so it is no shed work); then
each Step in turn, one a look; the last that was left out is the first to come back. It comes back when what is used,
and what leaving it out has saved, would stay below TAKE_UP_BELOW for CALM_LOOKS looks: between the two bounds nothing
changes, so that work does not come and go.
"""

import gc
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edge.firmware import MIB

SHED_ABOVE, TAKE_UP_BELOW = 0.93, 0.88
"""Shares of the budget that the proportional set size is held against."""
FADING = 0.999
"""What a step saved counts for so much of it at each look, half in 23 minutes: what something else gave back in that
moment was taken for its saving, and must not keep it out for ever."""
CALM_LOOKS = 10

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Step:
    """Work that can be left out."""

    work: str
    """``shortlist``, ``pictures``, ``readers`` or ``sight``."""
    means: str
    """What that is for whoever watches, as a clause."""
    leave_out: Callable[[], object]
    take_up: Callable[[], object]


@dataclass
class Shed:
    """A step that is left out now."""

    step: Step
    reason: str
    since_s: float
    used_bytes: int
    """What was used when it was left out."""
    saved_bytes: int | None = None
    """How much less was used at the next look."""


class Shedder:
    """``look`` is called every few seconds, by one thread at a time; ``report`` by any."""

    def __init__(
        self, steps: Sequence[Step], *, budget_bytes: int, measure: Callable[[], dict[str, int]],
        give_back: Callable[[], None],
    ):
        self._steps, self._budget_bytes = tuple(steps), budget_bytes
        self._measure, self._give_back = measure, give_back
        self._shed: list[Shed] = []
        self._calm_looks = 0
        self.given_back = 0
        """How often what was cached had to be given back."""

    def look(self) -> None:
        """Measure, and leave out or take up at most one step."""
        used = self._measure()
        if not used["pss_bytes"]:  # the kernel does not say, or no descriptor is left to ask it
            return
        if used["pss_bytes"] > SHED_ABOVE * self._budget_bytes:
            self._give_back()
            self.given_back += 1
            used = self._measure()
        pss_bytes = used["pss_bytes"]
        if self._shed and self._shed[-1].saved_bytes is None:
            self._shed[-1].saved_bytes = max(0, self._shed[-1].used_bytes - pss_bytes)
        if pss_bytes > SHED_ABOVE * self._budget_bytes:
            self._calm_looks = 0
            self._leave_out(used)
        elif self._shed:
            expected_bytes = pss_bytes + (self._shed[-1].saved_bytes or 0)
            self._shed[-1].saved_bytes = int((self._shed[-1].saved_bytes or 0) * FADING)
            self._calm_looks = self._calm_looks + 1 if expected_bytes < TAKE_UP_BELOW * self._budget_bytes else 0
            if self._calm_looks >= CALM_LOOKS:
                self._take_up()

    def report(self) -> list[dict[str, Any]]:
        """What is left out now, in the order in which it was: ``work``, ``reason``, ``since_s`` (Unix time)."""
        return [{"work": shed.step.work, "reason": shed.reason, "since_s": round(shed.since_s, 3)}
                for shed in tuple(self._shed)]

    def _leave_out(self, used: dict[str, int]) -> None:
        if len(self._shed) == len(self._steps):
            return
        step = self._steps[len(self._shed)]
        reason = (f"{step.means}: {used['pss_bytes'] / MIB:.1f} MiB of the budget of "
                  f"{self._budget_bytes / MIB:.0f} MiB are used, {used['anonymous_bytes'] / MIB:.1f} of them anonymous")
        log.warning("left out: %s", reason)
        step.leave_out()
        self._shed.append(Shed(step, reason, time.time(), used["pss_bytes"]))

    def _take_up(self) -> None:
        self._calm_looks = 0
        shed = self._shed.pop()
        shed.step.take_up()
        log.info("taken up again: %s", shed.step.work)


def trim_heap() -> None:
    """Let go of what Python and malloc keep for later (glibc's malloc_trim; other C libraries keep less)."""
    import ctypes

    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
