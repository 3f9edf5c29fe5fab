"""Lose the microphone again and again, in every way that a machine without a sound card can: is it always heard again?

    python -m tests.faults.microphone_loss --losses 100

The real daemon listens through PortAudio, ALSA and PulseAudio to a private sound server whose microphone is a FIFO.
Needs libportaudio2, pulseaudio and libasound2-plugins. Exits 1 when a loss is noticed later than 2 s, sound is
back later than 5 s after the device's return, or anything (process, status, metrics, events, log) missed one.
"""

import random
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from tests.edge.audio.pulse import VirtualMicrophone, missing
from tests.edge.daemon.process import running
from tests.faults.losses import Watch, Ways, faults_of, lose_again_and_again, main


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


if __name__ == "__main__":
    sys.exit(main(run, __doc__, missing(), losses=100))
