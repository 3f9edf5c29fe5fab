"""Lose the microphone again and again, in every way that a machine without a sound card can: is it always heard again?

    python -m tests.faults.microphone_loss --losses 100

The real daemon listens through PortAudio, ALSA and PulseAudio to a private sound server whose microphone is a FIFO.
Needs libportaudio2, pulseaudio and libasound2-plugins. Exits 1 when a loss is noticed later than NOTICED_S, sound is
back later than BACK_S after the device's return, or anything (process, status, metrics, events, log) missed one.
"""

import argparse
import json
import random
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tests.edge.audio.pulse import VirtualMicrophone, missing
from tests.edge.daemon.process import Daemon, running

NOTICED_S, BACK_S = 2.0, 5.0
LONGEST_ABSENCE_S = 6.0
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Loss:
    kind: str
    absent_s: float
    noticed_s: float
    """From the loss until /healthz says so."""
    back_s: float
    """From the device's return until sound arrives."""


Ways = dict[str, tuple[Callable[[], object], Callable[[], object]]]
"""Kind of loss to what makes it and what ends it."""


def ways(room: VirtualMicrophone) -> Ways:

    def swapped_for_silence() -> None:
        room.add_silent_source()
        room.unplug()

    def swapped_back() -> None:
        room.plug()
        room.remove_silent_source()

    return {
        "unplugged": (room.unplug, room.plug),
        "sound server killed": (room.kill_server, room.start_server),
        "stalled": (lambda: room.signal_server(signal.SIGSTOP), lambda: room.signal_server(signal.SIGCONT)),
        "nothing but zeros": (swapped_for_silence, swapped_back),
        "another format": (room.unplug, lambda: room.plug(rate_hz=48000, channels=2)),
    }


class Watch:
    """What a client sees of one of the daemon's senses."""

    def __init__(self, daemon: Daemon, sense: str = "audio"):
        self._sense = sense
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
        lose()
        noticed_s = watch.seconds_until(False)
        time.sleep(max(0.0, absent_s - noticed_s))
        bring_back()
        back_s = watch.seconds_until(True)
        losses.append(Loss(kind, absent_s, noticed_s, back_s))
        print(f"{number + 1:3d}  {kind:20s} noticed {noticed_s:5.2f} s  back {back_s:5.2f} s", file=sys.stderr)
    return losses


def run(count: int, *, seed: int = 1) -> dict:
    """The measured losses and whatever was wrong with them."""
    with tempfile.TemporaryDirectory() as name, VirtualMicrophone(Path(name)) as room:
        room.play(np.random.default_rng(3).integers(-9000, 9000, 80_000).astype(np.int16))
        arguments = ("--profile", "rpi-zero-2w-speaker", "--audio", "mic", "--state", Path(name) / "state",
                     "--listen", f"unix:{name}/api.sock")
        with running(Path(name), *arguments, environment=room.environment) as daemon:
            watch = Watch(daemon)
            losses = lose_again_and_again(count, ways(room), watch, random.Random(seed))
            time.sleep(0.5)
            faults = list(faults_of(count, losses, watch, daemon))
            return {"losses": [asdict(loss) for loss in losses], "faults": faults, "status": watch.status()["audio"]}


def faults_of(count: int, losses: list[Loss], watch: Watch, daemon: Daemon, sense: str = "audio"):
    """Whatever was wrong, in words."""
    if len(losses) < count:
        yield f"gave up after {len(losses)} losses"
    if daemon.process.poll() is not None:
        yield "the daemon ended"
    for loss in losses:
        if loss.noticed_s > NOTICED_S or loss.back_s > BACK_S:
            yield f"{loss.kind}: noticed after {loss.noticed_s:.2f} s, back after {loss.back_s:.2f} s"
    said = len(re.findall(rf"WARNING .*: {sense}: lost: ", daemon.log))
    for where, number in (("status", watch.status()[sense]["losses"]), ("metrics", watch.losses_counted()),
                          ("events", watch.losses_told), ("log", said)):
        if number < count:
            yield f"the {where} told of {number} losses"
    if "Traceback" in daemon.log:
        yield "the log has a traceback"


def table(losses: list[dict]) -> str:
    rows = ["| how it is lost | times | noticed, median / max s | back, median / max s |", "|---|---|---|---|"]
    for kind in dict.fromkeys(loss["kind"] for loss in losses):
        noticed, back = (np.array([loss[key] for loss in losses if loss["kind"] == kind])
                         for key in ("noticed_s", "back_s"))
        rows.append(f"| {kind} | {noticed.size} | {np.median(noticed):.2f} / {noticed.max():.2f} | "
                    f"{np.median(back):.2f} / {back.max():.2f} |")
    return "\n".join(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--losses", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if missing():
        print(f"cannot run: {missing()}", file=sys.stderr)
        return 1
    result = run(args.losses, seed=args.seed)
    print(json.dumps(result) if args.json else table(result["losses"]))
    for fault in result["faults"]:
        print(f"FAULT  {fault}", file=sys.stderr)
    return 1 if result["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
