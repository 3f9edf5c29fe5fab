"""Work that needs an environment of its own: a child process that does it, and times it, whenever it is told to."""

import json
import subprocess
import tempfile
from pathlib import Path

from benchmarks.process import environment, last_line
from benchmarks.timing import Spent
from edge.errors import RoomtoneError


class Remote:
    """Work for benchmarks.timing.interleave. A context manager: the child ends with it.

    Only one of the processes works at a time, so its times compare with those of work done here.
    """

    def __init__(self, python: Path, module: str, *arguments: str):
        """``module`` calls benchmarks.peers.served.serve. Raises RoomtoneError with its last words if it cannot."""
        self._module = module
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # closed in close
        self._child = subprocess.Popen([str(python), "-m", module, *arguments], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=self._said, env=environment(), text=True)
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._told, self._answers = self._child.stdin, self._child.stdout
        if self._answers.readline() != "ready\n":
            said = self._last_words()
            self.close()
            raise RoomtoneError(f"{module} did not start: {said}")

    def __call__(self) -> Spent:
        self._told.write("\n")
        self._told.flush()
        answer = self._answers.readline()
        if not answer:
            raise RoomtoneError(f"{self._module} ended: {self._last_words()}")
        return Spent(*json.loads(answer))

    def close(self) -> None:
        self._told.close()
        self._child.wait()
        self._answers.close()
        self._said.close()

    def _last_words(self) -> str:
        self._child.wait()
        self._said.seek(0)
        return last_line(self._said.read().decode(errors="replace"))

    def __enter__(self) -> "Remote":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
