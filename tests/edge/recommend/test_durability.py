"""Power and room running out: what was acknowledged stays, what was not is refused in a sentence."""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import deque
from itertools import pairwise
from pathlib import Path

import pytest

from edge.errors import StateError
from edge.recommend.history import Event, History

KILLS = int(os.environ.get("ROOMTONE_KILLS", "8"))
"""ROOMTONE_KILLS=200 is the long run, of ten thousand events."""
EVENTS_A_KILL = 50 if KILLS >= 200 else 10

WRITER = """
import sys
from edge.recommend.history import Event, History

path, start = sys.argv[1], int(sys.argv[2])
with History(path, kept_per_user=10**9) as history:
    for number in range(start, start + 1_000_000):
        history.add(Event(f"id-{number}", "anna", f"track-{number}", "play"))
        sys.stdout.write(f"{number}\\n")
        sys.stdout.flush()
"""

FILLER = """
import resource, sys
from edge.errors import StateError
from edge.recommend.history import Event, History

path, limit_bytes = sys.argv[1], int(sys.argv[2])
with History(path, kept_per_user=10**9) as history:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, resource.RLIM_INFINITY))
    kept = 0
    try:
        while True:
            history.add(Event(f"id-{kept}", "anna", "t" * 100, "play"))
            kept += 1
    except StateError as error:
        print(error)
    assert len(history.events("anna")) == kept > 100, kept
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert history.add(Event("one more", "anna", "t", "play"))
"""


def run_writer(path: Path, start: int, events: int, after_s: float) -> list[int]:
    """Write so many events, and on until killed without warning; returns the numbers that were acknowledged."""
    command = [sys.executable, "-c", WRITER, str(path), str(start)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(events)]
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.read().splitlines()
    return [int(line) for line in lines if line.strip()]


def test_an_acknowledged_event_survives_being_killed(tmp_path):
    path, chance = tmp_path / "history.sqlite", random.Random(5)
    acknowledged: list[int] = []
    wanted = KILLS * EVENTS_A_KILL
    cuts = [0, *sorted(chance.sample(range(1, wanted), KILLS - 1)), wanted]
    for begin, end in pairwise(cuts):
        start = len(acknowledged) and max(acknowledged) + 2
        acknowledged += run_writer(path, start, end - begin, chance.uniform(0, 0.005))
    assert len(acknowledged) >= wanted
    with History(path) as history:
        kept = [int(event.item.removeprefix("track-")) for event in history.events("anna")]
    assert len(kept) == len(set(kept))
    assert set(acknowledged) <= set(kept)
    assert len(kept) <= len(acknowledged) + KILLS  # one event may be on the disk and not yet acknowledged


def test_a_full_disk_is_refused_and_loses_nothing(tmp_path):
    """A real limit on the file's size stands in for the disk's."""
    path = tmp_path / "history.sqlite"
    done = subprocess.run(
        [sys.executable, "-c", FILLER, str(path), "600000"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "history could not be stored" in done.stdout
    assert "room" in done.stdout
    with History(path) as history:
        assert history.events("anna")[-1].id == "one more"


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MiB, where the machine lets us mount one."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)], capture_output=True)
    if done.returncode:
        pytest.skip(f"cannot mount a small disk here: {done.stderr.decode().strip()}")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_disk_that_is_really_full(small_disk):
    with History(small_disk / "history.sqlite") as history:
        events = (Event(f"id-{number}", "anna", "t" * 100, "play") for number in range(10**6))
        with pytest.raises(StateError, match="room"):
            deque(map(history.add, events), maxlen=0)
        kept = len(history.events("anna"))
        assert kept > 100
    with History(small_disk / "history.sqlite") as history:
        assert len(history.events("anna")) == kept


def test_a_full_disk_at_the_start(tmp_path):
    command = f"{FILLER.split('path,')[0]}\nresource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
    command += f"try: History({str(tmp_path / 'h.sqlite')!r})\nexcept StateError as error: print(error)"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=False)
    assert "history could not be opened" in done.stdout, done.stderr
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
