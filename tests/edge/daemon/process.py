"""The real daemon as a process of its own, and a client to it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

START_S = 30
READY = "service: ready in"


class Daemon:
    """A running daemon. ``log`` grows while it runs."""

    def __init__(self, process: subprocess.Popen, log: Path):
        self.process, self._log = process, log
        self.url = self._wait_for_url()

    @property
    def log(self) -> str:
        return self._log.read_text()

    def client(self, **settings) -> httpx.Client:
        if self.url.startswith("unix:"):
            settings["transport"] = httpx.HTTPTransport(uds=self.url.removeprefix("unix:"))
        base = self.url if self.url.startswith("http") else "http://localhost"
        return httpx.Client(base_url=base, timeout=20, **settings)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """The exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)

    def _wait_for_url(self) -> str:
        deadline_s = time.monotonic() + START_S
        while READY not in self.log:
            if self.process.poll() is not None or time.monotonic() > deadline_s:
                raise AssertionError(f"the daemon did not start ({self.process.poll()}):\n{self.log}")
            time.sleep(0.02)
        line = next(line for line in self.log.splitlines() if READY in line)
        return line.rpartition(" s: ")[2].strip()


@contextlib.contextmanager
def running(folder: Path, *arguments: object, environment: dict[str, str] | None = None, launcher: tuple = ()):
    """``roomtone daemon ARGUMENTS`` until the block ends."""
    log = folder / f"daemon-{time.monotonic_ns()}.log"
    command = [*launcher, sys.executable, "-m", "edge.cli", "daemon", *map(str, arguments)]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env={**os.environ, **(environment or {})})
    try:
        yield Daemon(process, log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
