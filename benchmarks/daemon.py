"""A real daemon in a process of its own, for the scripts that watch one from outside."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.process import environment
from edge.errors import RoomtoneError
from edge.memory import measured

READY_S = 30.0


class Daemon:
    """A running daemon and its API."""

    def __init__(self, process: subprocess.Popen[bytes], socket_path: Path, log: Path):
        self.process, self._socket_path, self._log = process, socket_path, log

    def get(self, path: str) -> Any:
        """The JSON answer to a GET. Raises OSError while nothing listens."""
        connection = _UnixConnection(self._socket_path)
        with contextlib.closing(connection):
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())

    def memory(self) -> dict[str, int]:
        return measured(Path(f"/proc/{self.process.pid}"))

    def read_bytes(self) -> int:
        """What it had the kernel read from the disk."""
        lines = Path(f"/proc/{self.process.pid}/io").read_text(encoding="ascii").splitlines()
        return next(int(line.partition(":")[2]) for line in lines if line.startswith("read_bytes"))

    def cpu_s(self) -> float:
        """User and system time of all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> float:
        """Seconds from SIGTERM to its end. Raises RoomtoneError when it does not end well."""
        began_s = time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait() != 0:
            raise RoomtoneError(f"the daemon ended with {self.process.returncode}")
        return time.perf_counter() - began_s

    def wait_ready(self) -> float:
        """Seconds until it answered. Raises RoomtoneError with its log's last line when it ended first."""
        began_s = time.perf_counter()
        while time.perf_counter() - began_s < READY_S:
            if self.process.poll() is not None:
                lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                raise RoomtoneError(f"the daemon ended: {lines[-1] if lines else self.process.returncode}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.get("/healthz")
                return time.perf_counter() - began_s
            time.sleep(0.002)
        raise RoomtoneError(f"the daemon did not answer within {READY_S:.0f} s")


@contextlib.contextmanager
def started(*arguments: str) -> Iterator[Daemon]:
    """Start ``roomtone daemon`` with these arguments, an empty state and a socket of its own; stop it at the end."""
    with tempfile.TemporaryDirectory() as folder:
        socket_path, log = Path(folder) / "socket", Path(folder) / "log"
        command = [sys.executable, "-m", "edge.cli", "daemon", *arguments, "--state", folder,
                   "--listen", f"unix:{socket_path}"]
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=output, env=environment())
        try:
            yield Daemon(process, socket_path, log)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path):
        super().__init__("localhost", timeout=READY_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
