"""Lose a real ALSA card and a real V4L2 camera again and again: run by device_loss.sh in a machine that has them.

The daemon listens to one side of snd-aloop, whose other side aplay plays into, and watches vivid. Both are pulled out
by unbinding them from their drivers. Exits 1 as microphone_loss.py does.
"""

import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path
from random import Random

import numpy as np

from tests.edge.daemon import process
from tests.faults.losses import Watch, Ways, faults_of, lose_again_and_again, main

DRIVERS = Path("/sys/bus/platform/drivers")
CARD, CAMERA = ("snd_aloop", "snd_aloop.0"), ("vivid", "vivid.0")
EMULATED_START_S = 300


def pull(driver: str, device: str) -> None:
    (DRIVERS / driver / "unbind").write_text(device)


def push(driver: str, device: str) -> None:
    (DRIVERS / driver / "bind").write_text(device)


class Player:
    """aplay, which gives the card what it hears; begun anew whenever it ends, as it does with the card."""

    def __init__(self, folder: Path):
        self._noise = folder / "noise.raw"
        self._noise.write_bytes(np.random.default_rng(3).integers(-9000, 9000, 16000 * 3600).astype("<i2").tobytes())
        self._format: tuple[int, int] | None = None
        threading.Thread(target=self._keep, daemon=True).start()

    def play(self, rate_hz: int = 16000, channels: int = 1) -> None:
        self._format = rate_hz, channels

    def stop(self) -> None:
        self._format = None

    def _keep(self) -> None:
        while True:
            wanted = self._format
            process = None if wanted is None else subprocess.Popen(self._command(*wanted), stderr=subprocess.DEVNULL)
            while self._format == wanted and (process is None or process.poll() is None):
                time.sleep(0.02)
            if process is not None:
                process.kill()
                process.wait()

    def _command(self, rate_hz: int, channels: int) -> list[str]:
        return ["aplay", "-q", "-D", "hw:0,0", "-t", "raw", "-f", "S16_LE", "-r", str(rate_hz), "-c", str(channels),
                str(self._noise)]


def sounds(player: Player) -> Ways:
    def pulled() -> None:
        pull(*CARD)
        player.stop()

    def pushed(rate_hz: int = 16000, channels: int = 1) -> None:
        """The card takes one format at a time, that of its player."""
        push(*CARD)
        player.play(rate_hz, channels)

    return {
        "card pulled out": (pulled, pushed),
        "nothing but zeros": (player.stop, player.play),
        "swapped for one of 48 kHz stereo": (pulled, lambda: pushed(48000, 2)),
    }


def pictures() -> Ways:
    return {"camera pulled out": (lambda: pull(*CAMERA), lambda: push(*CAMERA))}


def run(count: int, *, seed: int = 1) -> dict:
    """Three in four of the losses are the card's."""
    process.START_S = EMULATED_START_S
    with tempfile.TemporaryDirectory() as name:
        player = Player(Path(name))
        player.play()
        arguments = ("--profile", "rpi-4-tv", "--audio", "mic:hw:0,1", "--video", "v4l2:/dev/video0",
                     "--state", Path(name) / "state", "--listen", f"unix:{name}/api.sock")
        with process.running(Path(name), *arguments) as daemon:
            losses, faults = [], []
            for sense, ways, times in (("audio", sounds(player), count * 3 // 4), ("video", pictures(), count // 4)):
                watch = Watch(daemon, sense)
                found = lose_again_and_again(times, ways, watch, Random(seed))
                time.sleep(0.5)
                losses += found
                faults += faults_of(times, found, watch, daemon, sense)
            status = watch.status()
            if faults:
                print(daemon.log, Path("/proc/asound/cards").read_text(), *Path("/dev").glob("video*"), file=sys.stderr)
        player.stop()
        return {"losses": [asdict(loss) for loss in losses], "faults": faults, "status": status}


if __name__ == "__main__":
    sys.exit(main(run, __doc__, None, losses=60))
