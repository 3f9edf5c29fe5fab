"""Kill the daemon without warning, again and again: does it always start, and is every acknowledged event kept once?

    python -m tests.faults.kill_daemon --kills 600

In turn: while it starts, while it takes feedback, while it reloads a catalogue that was swapped under it (a symbolic
link renamed over another). kill_update.py kills the updates. Exits 1 at the first thing that is wrong.
"""

import argparse
import contextlib
import itertools
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from edge.catalog import snapshot
from edge.recommend.history import History
from tests.edge.daemon.process import Daemon, running

STARTING, TELLING, SWAPPING = "start", "feedback", "snapshot swap"


class Household:
    """A state folder, two catalogues behind one name, and what was acknowledged."""

    def __init__(self, folder: Path, chance: random.Random):
        self.folder, self._chance = folder, chance
        self.state, self.catalog = folder / "state", folder / "catalog"
        self.acknowledged: list[str] = []
        self._numbers = itertools.count()
        for name in ("a", "b"):
            shutil.copytree(snapshot.DEFAULT, folder / name)
        self.swap()

    def arguments(self) -> tuple[object, ...]:
        return ("--audio", "none", "--state", self.state, "--listen", f"unix:{self.folder}/api.sock",
                "--catalog", self.catalog)

    def swap(self) -> None:
        """As an updater does: the new name is complete before it takes the old one's place."""
        other = "b" if self.catalog.is_symlink() and self.catalog.readlink().name == "a" else "a"
        (self.folder / "next").symlink_to(other)
        (self.folder / "next").rename(self.catalog)

    def tell(self, client: httpx.Client, item: str) -> None:
        name = f"event-{next(self._numbers)}"
        client.post("/v1/feedback", json={"id": name, "item": item, "event": "play", "user": "anna"}).raise_for_status()
        self.acknowledged.append(name)

    def kill_while_starting(self) -> None:
        command = [sys.executable, "-m", "edge.cli", "daemon", *map(str, self.arguments())]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(self._chance.uniform(0.0, 0.6))
        process.kill()
        process.wait()

    def kill_while_telling(self) -> None:
        with running(self.folder, *self.arguments()) as daemon, daemon.client() as client:
            item = self._item(client)
            killer = subprocess.Popen(["sh", "-c", f"sleep {self._chance.uniform(0.0, 0.2):.3f}; "
                                       f"kill -9 {daemon.process.pid}"])
            with contextlib.suppress(httpx.TransportError):
                while True:
                    self.tell(client, item)
            killer.wait()
            daemon.process.wait()

    def kill_while_swapping(self) -> None:
        with running(self.folder, *self.arguments()) as daemon, daemon.client() as client:
            self.tell(client, self._item(client))
            self.swap()
            daemon.process.send_signal(signal.SIGHUP)
            time.sleep(self._chance.uniform(0.0, 0.6))
            daemon.stop(signal.SIGKILL)

    def check(self) -> None:
        """It starts and recommends, and every acknowledged event is there once."""
        with running(self.folder, *self.arguments()) as daemon, daemon.client() as client:
            self._item(client)
            self._clean(daemon)
        with History(self.state / "history.db") as history:
            kept = [event.id for event in history.events("anna")]
        assert len(kept) == len(set(kept)), "an event is there twice"
        missing = set(self.acknowledged) - set(kept)
        assert not missing, f"acknowledged events are lost: {sorted(missing)[:5]}"

    def _item(self, client: httpx.Client) -> str:
        found = client.get("/v1/recommendations", params={"user": "anna"}).json()["recommendations"]
        assert found, "nothing is recommended"
        return found[0]["item"]

    def _clean(self, daemon: Daemon) -> None:
        assert daemon.stop() == 0
        assert "Traceback" not in daemon.log, daemon.log


def run(kills: int, *, seed: int = 1, check_every: int = 10) -> dict[str, object]:
    """Raises AssertionError at the first thing that is wrong."""
    with tempfile.TemporaryDirectory() as name:
        household = Household(Path(name), random.Random(seed))
        ways = {STARTING: household.kill_while_starting, TELLING: household.kill_while_telling,
                SWAPPING: household.kill_while_swapping}
        done = dict.fromkeys(ways, 0)
        for number in range(kills):
            way = list(ways)[number % len(ways)]
            ways[way]()
            done[way] += 1
            if (number + 1) % check_every == 0 or number + 1 == kills:
                household.check()
                print(f"{number + 1} kills, {len(household.acknowledged)} events", file=sys.stderr)
            for log in household.folder.glob("daemon-*.log"):
                log.unlink()
        return {"kills": done, "acknowledged": len(household.acknowledged), "lost": 0}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    try:
        print(json.dumps(run(args.kills, seed=args.seed)))
    except AssertionError as error:
        print(f"FAULT  {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
