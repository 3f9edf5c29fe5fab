"""The understanding of many files on this machine: a few worker processes, each with one file at a time."""

import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import IO, cast

from edge.errors import ExportError
from export.catalog.choice import ModelChoice
from export.catalog.scan import MediaFile
from export.catalog.worker import REFUSED, UNDERSTOOD, Answer, read_frame, write_line

Wanted = tuple[str, MediaFile]
"""The key under which a file's result is kept, and the file."""
Outcome = tuple[str, Answer]
"""The key, and what became of the file."""
PATIENCE_S = 5.0


def usable_cores() -> int:
    return len(os.sched_getaffinity(0))


class LocalEngine:
    """A context manager. Workers start when they are needed and end with it, or with this process."""

    def __init__(self, choice: ModelChoice, identity: str, *, workers: int | None = None):
        """``identity``: what Embedders.identity must be in every worker. ``workers``: by default one a core."""
        self._choice, self._identity = choice, identity
        self._most = workers or usable_cores()
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []

    def understand(self, wanted: Iterable[Wanted]) -> Iterator[Outcome]:
        """An outcome for each file, in whatever order they come to an end.

        Raises ExportError when a worker cannot start. A file over which one dies is refused.
        """
        files = iter(wanted)
        with selectors.DefaultSelector() as ready:
            while True:
                while len(self._busy) < self._most and (following := next(files, None)) is not None:
                    self._give(following, ready)
                if not self._busy:
                    return
                for worker in [key.data for key, _ in ready.select()]:
                    yield self._take(worker, ready)

    def _give(self, wanted: Wanted, ready: selectors.BaseSelector) -> None:
        worker = self._idle.pop() if self._idle else _Worker(self._choice, self._identity)
        self._busy.append(worker)
        ready.register(worker.answers, selectors.EVENT_READ, worker)
        worker.give(*wanted)

    def _take(self, worker: "_Worker", ready: selectors.BaseSelector) -> Outcome:
        ready.unregister(worker.answers)
        self._busy.remove(worker)
        key, file = worker.wanted
        answer = read_frame(worker.answers)
        if answer is None:
            why = f"{file.path}: decoding it crashed ({worker.end()}); convert it, or take it out of the folder"
            return key, (REFUSED, why.encode("utf-8", "backslashreplace"))
        self._idle.append(worker)
        return key, answer

    def close(self) -> None:
        for worker in self._idle + self._busy:
            worker.end()
        self._idle, self._busy = [], []

    def __enter__(self) -> "LocalEngine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Worker:
    wanted: Wanted
    """What it is at work on."""

    def __init__(self, choice: ModelChoice, identity: str):
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # closed in end
        self._process = subprocess.Popen(
            [sys.executable, "-m", "export.catalog.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._said, env=_environment(), start_new_session=True)  # Ctrl-C is the build's to handle
        self._files, self.answers = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)
        with suppress(BrokenPipeError):
            write_line(self._files, choice.as_json())
        kind, said = read_frame(self.answers) or (REFUSED, self._last_words())
        if kind == UNDERSTOOD and said.decode() == identity:
            return
        self.end()
        if kind == REFUSED:
            raise ExportError(f"a worker process did not start: {said.decode(errors='replace')}")
        raise ExportError(f"a worker process opened other models ({said.decode()}) than the build ({identity}); "
                          "have the same Roomtone, bundle and runtime everywhere")

    def give(self, key: str, file: MediaFile) -> None:
        self.wanted = key, file
        with suppress(BrokenPipeError):  # it died while it was idle, as reading its answer will tell
            write_line(self._files, file.as_json())

    def end(self) -> str:
        """Close its pipes, at which it ends. Returns how it ended."""
        for pipe in (self._files, self.answers):
            with suppress(BrokenPipeError):
                pipe.close()
        try:
            code = self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._said.close()
        return f"exit code {code}" if code >= 0 else _SIGNALS.get(-code, f"signal {-code}")

    def _last_words(self) -> bytes:
        self._said.seek(0)
        return (self._said.read().strip().splitlines() or [b"it said nothing"])[-1]


_SIGNALS: dict[int, str] = {signal.SIGKILL: "killed, as when memory runs out", signal.SIGSEGV: "segmentation fault",
            signal.SIGABRT: "aborted", signal.SIGBUS: "bus error", signal.SIGILL: "illegal instruction"}


def _environment() -> dict[str, str]:
    """Ours, where a worker finds the same packages and keeps to its one core."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **os.environ, "PYTHONPATH": path}
