"""What the daemon knows about itself: the parts that answer requests, and the status made of them."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edge.daemon.desk import Desk
from edge.daemon.events import Broadcaster
from edge.daemon.health import SenseHealth
from edge.daemon.mute import MuteSwitch
from edge.daemon.refresh import Refresher
from edge.usage import CpuMeter


@dataclass(frozen=True)
class About:
    """What runs, in versions; fixed at start."""

    version: str
    profile: str
    bundle: str
    snapshot: str
    engine: str
    items: int
    """How many items the snapshot has."""
    since_s: Mapping[str, float]
    """Unix time at which this ``bundle`` and this ``snapshot`` were first used here."""


@dataclass(frozen=True)
class Room:
    about: About
    desk: Desk
    broadcaster: Broadcaster
    refresher: Refresher
    mute: MuteSwitch
    senses: Mapping[str, SenseHealth]
    """``audio`` and ``video``."""
    memory: Callable[[], dict[str, Any]]
    """Measures the process: ``pss_bytes``, ``budget_bytes``, ``plan_bytes``."""
    shed: Callable[[], list[dict[str, Any]]] = list
    """What work is left out to stay within the budget, and why."""
    cpu: CpuMeter = field(default_factory=CpuMeter)
    answers: Counter[int] = field(default_factory=Counter)
    """HTTP status to number of answers."""
    feedback: Counter[str] = field(default_factory=Counter)
    """Kind of event to number of new events."""
    began_s: float = field(default_factory=time.time)

    def count_answer(self, status: int) -> None:
        self.answers[status] += 1

    def senses_status(self) -> dict[str, Any]:
        """The quick part of the status, that the page shows live."""
        return {"muted": self.mute.muted, **{name: sense.report() for name, sense in self.senses.items()}}

    async def status(self) -> dict[str, Any]:
        return {
            **self.senses_status(),
            "memory": await asyncio.to_thread(self.memory),
            "shed": self.shed(),
            "feedback": self.desk.feedback(),
            "version": self.about.version,
            "profile": self.about.profile,
            "engine": self.about.engine,
            "bundle": self.about.bundle,
            "snapshot": self.about.snapshot,
            "bundle_since_s": self.about.since_s["bundle"],
            "snapshot_since_s": self.about.since_s["snapshot"],
            "items": self.about.items,
            "since_s": round(self.began_s, 3),
            "cpu_s": round(time.process_time(), 3),
            "cpu_percent": self.cpu.percent,
            "readers": self.broadcaster.readers,
        }

    def health(self) -> dict[str, Any]:
        """``ok`` is False when a sense that should receive frames does not."""
        deaf = [name for name, sense in self.senses.items() if sense.deaf]
        return {
            "ok": not deaf,
            "muted": self.mute.muted,
            "senses": {name: sense.state.value for name, sense in self.senses.items()},
        }
