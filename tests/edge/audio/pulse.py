"""A microphone without a sound card: a private PulseAudio server whose only source is a FIFO that a thread feeds.

PortAudio reaches it through ALSA's pulse plug-in, the way it does on a desktop; the samples arrive unchanged.
"""

import fcntl
import os
import shutil
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

RATE_HZ = 16000
PIECE_SAMPLES = 320
PIECE_S = PIECE_SAMPLES / RATE_HZ
SOURCE = "roomtone_test"
FIFO_BYTES = 4096


def missing() -> str | None:
    """What has to be installed before this can work, or None."""
    if shutil.which("pulseaudio") and shutil.which("pactl"):
        return None
    return "apt install pulseaudio libasound2-plugins libportaudio2"


class VirtualMicrophone:
    """A context manager; inside it, ``environment`` leads PortAudio to the server."""

    def __init__(self, folder: Path, *, channels: int = 1):
        self._folder, self._channels, self._rate_hz = folder, channels, RATE_HZ
        self._fifo = folder / "samples.fifo"
        server = f"unix:{folder}/native"
        self.environment = {"PULSE_SERVER": server, "PULSE_RUNTIME_PATH": str(folder), "PULSE_STATE_PATH": str(folder)}
        self._samples = np.zeros(RATE_HZ, np.int16)
        self.fed_samples = 0
        """What the microphone was given so far; about in real time, a little slower."""
        self._stopping = threading.Event()

    def __enter__(self) -> "VirtualMicrophone":
        self._folder.chmod(0o700)
        self.start_server()
        self._feeder = threading.Thread(target=self._feed)
        self._feeder.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._feeder.join()
        self.kill_server()

    def start_server(self) -> None:
        self._server = subprocess.Popen(
            ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--realtime=no",
             "--high-priority=no", f"--log-target=newfile:{self._folder}/log",
             f"--load=module-native-protocol-unix socket={self._folder}/native auth-anonymous=1",
             f"--load=module-pipe-source {self._source_arguments()}"],
            env={**os.environ, **self.environment}, stderr=subprocess.DEVNULL,
        )
        self._wait_for(lambda: SOURCE in self._pactl("list", "short", "sources"))

    def kill_server(self) -> None:
        self._server.kill()
        self._server.wait()
        for left_over in (self._folder / "native", self._fifo):
            left_over.unlink(missing_ok=True)

    def signal_server(self, number: int) -> None:
        self._server.send_signal(number)

    def unplug(self) -> None:
        self._pactl("unload-module", "module-pipe-source")

    def plug(self, *, rate_hz: int = RATE_HZ, channels: int = 1) -> None:
        """The microphone, or another one, of another format."""
        self._rate_hz, self._channels = rate_hz, channels
        self._pactl("load-module", "module-pipe-source", *self._source_arguments().split())

    def add_silent_source(self) -> None:
        """Another source, that delivers exact zeros; PulseAudio moves streams to it when theirs is unplugged."""
        self._pactl("load-module", "module-null-sink", "sink_name=silence")

    def remove_silent_source(self) -> None:
        self._pactl("unload-module", "module-null-sink")

    def play(self, samples: np.ndarray) -> None:
        """Let the room sound like this, [shape=(n,), dtype=int16], over and over."""
        self._samples = samples

    def _source_arguments(self) -> str:
        return (f"source_name={SOURCE} file={self._fifo} format=s16le rate={self._rate_hz} channels={self._channels}")

    def _pactl(self, *arguments: str) -> str:
        done = subprocess.run(["pactl", *arguments], env={**os.environ, **self.environment}, capture_output=True,
                              text=True, check=False, timeout=10)
        return done.stdout

    def _wait_for(self, condition) -> None:
        deadline_s = time.monotonic() + 10
        while not condition():
            if self._server.poll() is not None or time.monotonic() > deadline_s:
                raise RuntimeError(f"PulseAudio did not start: {(self._folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def _feed(self) -> None:
        """Write at about real time. A piece that PulseAudio has no room for, or no FIFO yet, is offered again."""
        start = 0
        while not self._stopping.wait(PIECE_S):
            count = PIECE_SAMPLES * self._channels * self._rate_hz // RATE_HZ
            samples = self._samples.take(range(start, start + count), mode="wrap")
            with suppress(BlockingIOError, FileNotFoundError):
                self._write(samples.tobytes())
                start += samples.size
                self.fed_samples += samples.size

    def _write(self, content: bytes) -> None:
        """All or nothing, since a piece is shorter than what a pipe takes at once (PIPE_BUF)."""
        pipe = os.open(self._fifo, os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, FIFO_BYTES)
            os.write(pipe, content)
        finally:
            os.close(pipe)
