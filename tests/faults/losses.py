"""A sense of the daemon is lost again and again: what a client sees, how long it takes, and what went wrong."""

import argparse
import json
import random
import re
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.memory import measured
from tests.edge.daemon.process import Daemon

NOTICED_S, BACK_S = 2.0, 5.0
LONGEST_ABSENCE_S = 6.0
PATIENCE_S = 30.0
MOST_GROWTH_BYTES = 2_000_000
"""Of anonymous memory, between the time when each kind of loss has been once and the end."""


@dataclass(frozen=True)
class Held:
    """What the daemon holds of the system."""

    descriptors: int
    threads: int
    anonymous_bytes: int

    @classmethod
    def by(cls, daemon: Daemon) -> "Held":
        process = Path(f"/proc/{daemon.process.pid}")
        return cls(*(len(list((process / part).iterdir())) for part in ("fd", "task")),
                   measured(process)["anonymous_bytes"])


@dataclass(frozen=True)
class Loss:
    kind: str
    absent_s: float
    noticed_s: float
    """From the moment when it is made until /healthz says so."""
    back_s: float
    """From the device's return until sound arrives."""
    held: Held
    """Then."""


Ways = dict[str, tuple[Callable[[], object], Callable[[], object]]]
"""Kind of loss to what makes it and what ends it."""


class Watch:
    """What a client sees of one of the daemon's senses."""

    def __init__(self, daemon: Daemon, sense: str = "audio"):
        self._sense, self._daemon = sense, daemon
        self._client, self._reader = daemon.client(), daemon.client()
        self.losses_told = 0
        """Losses that the event stream told of."""
        threading.Thread(target=self._follow, daemon=True).start()

    def lives(self) -> bool:
        return self._client.get("/healthz").json()["senses"][self._sense] == "live"

    def seconds_until(self, living: bool) -> float:
        began_s = time.monotonic()
        while self.lives() is not living:
            if time.monotonic() - began_s > PATIENCE_S:
                return float("inf")
            time.sleep(0.02)
        return time.monotonic() - began_s

    def losses_counted(self) -> int:
        return int(float(re.search(rf'roomtone_losses_total\{{sense="{self._sense}"\}} (\S+)',
                                   self._client.get("/metrics").text).group(1)))

    def held(self) -> Held:
        return Held.by(self._daemon)

    def status(self) -> dict:
        return self._client.get("/v1/status").json()

    def _follow(self) -> None:
        before = ""
        with self._reader.stream("GET", "/v1/events") as answer:
            for line in answer.iter_lines():
                if line.startswith('data: {"muted"'):
                    state = json.loads(line.removeprefix("data: "))[self._sense]["state"]
                    self.losses_told += state in ("lost", "stalled") and before == "live"
                    before = state


def lose_again_and_again(count: int, ways: Ways, watch: Watch, chance: random.Random) -> list[Loss]:
    losses = []
    for number in range(count):
        kind, (lose, bring_back) = list(ways.items())[number % len(ways)]
        if watch.seconds_until(True) == float("inf"):
            break
        time.sleep(chance.uniform(0.3, 1.0))
        absent_s = chance.uniform(2.0, LONGEST_ABSENCE_S)
        losing = threading.Thread(target=lose)  # a driver may not let go of a device before it was closed
        losing.start()
        noticed_s = watch.seconds_until(False)
        losing.join()
        time.sleep(max(0.0, absent_s - noticed_s))
        bring_back()
        back_s = watch.seconds_until(True)
        losses.append(Loss(kind, absent_s, noticed_s, back_s, watch.held()))
        print(f"{number + 1:3d}  {kind:20s} noticed {noticed_s:5.2f} s  back {back_s:5.2f} s", file=sys.stderr)
    return losses


def faults_of(count: int, losses: list[Loss], watch: Watch, daemon: Daemon, sense: str = "audio"):
    """Whatever was wrong, in words."""
    if len(losses) < count:
        yield f"gave up after {len(losses)} losses: {watch.status()[sense]}"
    if daemon.process.poll() is not None:
        yield "the daemon ended"
    for loss in losses:
        if loss.noticed_s > NOTICED_S or loss.back_s > BACK_S:
            yield f"{loss.kind}: noticed after {loss.noticed_s:.2f} s, back after {loss.back_s:.2f} s"
    yield from leaks(losses)
    said = len(re.findall(rf"WARNING .*: {sense}: lost: ", daemon.log))
    for where, number in (("status", watch.status()[sense]["losses"]), ("metrics", watch.losses_counted()),
                          ("events", watch.losses_told), ("log", said)):
        if number < count:
            yield f"the {where} told of {number} losses"
    if "Traceback" in daemon.log:
        yield "the log has a traceback"


def leaks(losses: list[Loss]):
    """What the daemon holds more of after the last round of all kinds than after the first, in words."""
    kinds = len({loss.kind for loss in losses})
    first, last = ([loss.held for loss in part] for part in (losses[:kinds], losses[-kinds:]))
    for what, allowed in (("descriptors", 0), ("threads", 0), ("anonymous_bytes", MOST_GROWTH_BYTES)):
        before, after = (max((getattr(held, what) for held in part), default=0) for part in (first, last))
        if after > before + allowed:
            yield f"{what}: {before} after the first losses, {after} after the last"


def table(losses: list[dict]) -> str:
    rows = ["| how it is lost | times | noticed, median / max s | back, median / max s |", "|---|---|---|---|"]
    for kind in dict.fromkeys(loss["kind"] for loss in losses):
        noticed, back = (np.array([loss[key] for loss in losses if loss["kind"] == kind])
                         for key in ("noticed_s", "back_s"))
        rows.append(f"| {kind} | {noticed.size} | {np.median(noticed):.2f} / {noticed.max():.2f} | "
                    f"{np.median(back):.2f} / {back.max():.2f} |")
    held = ", ".join(f"{what} {losses[0]['held'][what]} and {losses[-1]['held'][what]}" for what in losses[0]["held"])
    rows.append(f"Held after the first and after the last: {held}")
    return "\n".join(rows)


def main(run: Callable[..., dict], doc: str | None, missing: str | None, *, losses: int) -> int:
    """The command line of a script: ``run`` takes a count and a seed, ``missing`` is what this machine lacks."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--losses", type=int, default=losses)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if missing:
        print(f"cannot run: {missing}", file=sys.stderr)
        return 1
    result = run(args.losses, seed=args.seed)
    print(json.dumps(result) if args.json else table(result["losses"]))
    for fault in result["faults"]:
        print(f"FAULT  {fault}", file=sys.stderr)
    return 1 if result["faults"] else 0
