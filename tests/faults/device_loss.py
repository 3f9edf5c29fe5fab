"""Lose a real ALSA card and a real V4L2 camera again and again: run by device_loss.sh in a machine that has them.

The daemon listens to one side of snd-aloop, whose other side aplay plays into, and watches vivid. Both are pulled out
by unbinding them from their drivers. Exits 1 as microphone_loss.py does.
"""

import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from random import Random

import numpy as np

from tests.edge.daemon.process import running
from tests.faults.losses import Watch, Ways, faults_of, lose_again_and_again, main

DRIVERS = Path("/sys/bus/platform/drivers")
CARD, CAMERA = ("snd_aloop", "snd_aloop.0"), ("vivid", "vivid.0")
APPEARS_S = 10.0
NOISE = "noise.raw"


def pull(driver: str, device: str) -> None:
    (DRIVERS / driver / "unbind").write_text(device)


def push(driver: str, device: str) -> None:
    (DRIVERS / driver / "bind").write_text(device)


class Player:
    """aplay, which gives the card what it hears."""

    def __init__(self, folder: Path):
        self._noise = folder / NOISE
        self._noise.write_bytes(np.random.default_rng(3).integers(-9000, 9000, 16000 * 3600).astype("<i2").tobytes())
        self._process: subprocess.Popen | None = None

    def play(self, rate_hz: int = 16000, channels: int = 1) -> None:
        """Raises RuntimeError when the card does not take it."""
        self.stop()
        command = ["aplay", "-q", "-D", "hw:0,0", "-t", "raw", "-f", "S16_LE", "-r", str(rate_hz), "-c", str(channels)]
        until_s = time.monotonic() + APPEARS_S
        while time.monotonic() < until_s:
            self._process = subprocess.Popen([*command, str(self._noise)], stderr=subprocess.DEVNULL)
            time.sleep(0.1)
            if self._process.poll() is None:
                return
        raise RuntimeError(f"{' '.join(command)} ends at once")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def sounds(player: Player) -> Ways:
    def pulled() -> None:
        pull(*CARD)
        player.stop()

    def pushed() -> None:
        push(*CARD)
        player.play()

    return {
        "card pulled out": (pulled, pushed),
        "nothing but zeros": (player.stop, player.play),
        "format changed": (lambda: player.play(48000, 2), player.play),
    }


def pictures() -> Ways:
    return {"camera pulled out": (lambda: pull(*CAMERA), lambda: push(*CAMERA))}


def run(count: int, *, seed: int = 1) -> dict:
    """Three in four of the losses are the card's."""
    with tempfile.TemporaryDirectory() as name:
        player = Player(Path(name))
        player.play()
        arguments = ("--profile", "rpi-4-tv", "--audio", "mic:hw:0,1", "--video", "v4l2:/dev/video0",
                     "--state", Path(name) / "state", "--listen", f"unix:{name}/api.sock")
        with running(Path(name), *arguments) as daemon:
            losses, faults = [], []
            for sense, ways, times in (("audio", sounds(player), count * 3 // 4), ("video", pictures(), count // 4)):
                watch = Watch(daemon, sense)
                found = lose_again_and_again(times, ways, watch, Random(seed))
                time.sleep(0.5)
                losses += found
                faults += faults_of(times, found, watch, daemon, sense)
            status = watch.status()
            if faults:
                print(daemon.log, file=sys.stderr)
        player.stop()
        return {"losses": [asdict(loss) for loss in losses], "faults": faults, "status": status}


if __name__ == "__main__":
    sys.exit(main(run, __doc__, None, losses=60))
