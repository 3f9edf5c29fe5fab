"""Lose a camera's stream again and again: does the daemon see again each time?

    python -m tests.faults.stream_loss --losses 40

The real daemon watches an RTSP server (GStreamer's) whose film it must not take for one of its own. Needs what
tests/edge/video/rtsp.py names. Exits 1 when a loss is noticed later than 2 s, pictures are back later than 5 s
after the server's return, or anything (process, status, metrics, events, log) missed one.
"""

import random
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from tests.edge.daemon.process import running
from tests.edge.video import films
from tests.edge.video.rtsp import RtspServer, missing
from tests.faults.losses import Watch, Ways, faults_of, lose_again_and_again, main

FILM_S = 60
STALLED = "stalled"


def ways(server: RtspServer) -> Ways:
    """Kind of loss to what makes it and what ends it."""

    def replaced() -> None:
        server.kill()
        server.start()

    return {
        "server killed": (server.kill, server.start),
        STALLED: (server.stall, server.go_on),
        "silent, then another server": (server.stall, replaced),
    }


def run(count: int, *, seed: int = 1) -> dict:
    """The measured losses and whatever was wrong with them."""
    with tempfile.TemporaryDirectory() as name:
        film = films.write(Path(name) / "film.mkv", films.at_25_a_second(25 * FILM_S))
        arguments = ("--profile", "rpi-5-tv", "--audio", "none", "--state", Path(name) / "state",
                     "--listen", f"unix:{name}/api.sock")
        with RtspServer(film) as server, running(Path(name), *arguments, "--video", server.url) as daemon:
            watch = Watch(daemon, "video")
            losses = lose_again_and_again(count, ways(server), watch, random.Random(seed))
            time.sleep(0.5)
            broken = [loss for loss in losses if loss.kind != STALLED]  # what stalls and goes on is not lost
            status, faults = watch.status()["video"], list(faults_of(len(broken), losses, watch, daemon, "video"))
            if len(losses) < count:
                faults.append(f"gave up: {status}, the server {server.state}")
            return {"losses": [asdict(loss) for loss in losses], "faults": faults, "status": status}


if __name__ == "__main__":
    sys.exit(main(run, __doc__, missing(), losses=40))
