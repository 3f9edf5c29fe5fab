"""Processes that die at a call that changes the disk, as by a kill or by a power cut."""

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CHANGES = ("os.rename", "os.link", "os.symlink", "os.remove", "os.mkdir", "os.rmdir")
BEYOND = 1 << 30


class Disk:
    """Counts what this process does to a folder, and ends the process at the Nth time, as a kill or a power cut."""

    def __init__(self, folder, *, at, power_cut, seed):
        self._folder, self._at, self._power_cut = folder, at, power_cut
        self._random = random.Random(seed)
        self._aside = Path(tempfile.mkdtemp(dir=folder.parent))
        self._unsynced, self._renames, self._busy = set(), [], False
        self.calls = 0

    def watch(self):
        sys.addaudithook(self._hook)
        self._fsync = os.fsync
        os.fsync = self._synced

    def _synced(self, descriptor):
        self._count()
        self._fsync(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        self._unsynced.discard(path)
        self._renames = [rename for rename in self._renames if rename[1].parent != path]

    def _hook(self, event, args):
        if self._busy:
            return
        self._busy = True
        try:
            if event == "open" and args[2] is not None and args[2] & WRITING and self._here(args[0]):
                self._count()
                self._unsynced.add(Path(args[0]).absolute())
            elif event in CHANGES and any(self._here(name) for name in args[:2]):
                self._count()
                if event == "os.rename":
                    self._note(*(Path(name).absolute() for name in args[:2]))
        finally:
            self._busy = False

    def _here(self, name):
        return isinstance(name, str | os.PathLike) and Path(name).absolute().is_relative_to(self._folder)

    def _note(self, source, target):
        kept = self._aside / str(self.calls)
        if target.is_file():
            os.link(target, kept)
        self._renames.append((source, target, kept))
        if source in self._unsynced:
            self._unsynced = {target if path == source else path for path in self._unsynced}

    def _count(self):
        self.calls += 1
        if self.calls == self._at:
            self._busy = True
            if self._power_cut:
                self._lose()
            os.kill(os.getpid(), signal.SIGKILL)

    def _lose(self):
        for source, target, kept in reversed(self._renames):
            if self._random.random() < 0.5 and target.exists() and not source.exists():
                target.rename(source)
                self._unsynced = {source if path == target else path for path in self._unsynced}
                if kept.exists():
                    kept.rename(target)
        for path in self._unsynced:
            if path.is_file() and not path.is_symlink():
                os.truncate(path, int(path.stat().st_size * self._random.random()))


def in_child(work):
    """Run in a process of its own; returns its exit code, negative when it was killed."""
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        code = 99
        try:
            code = work() or 0
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(code)
    return process


def ended(process, *, after_s=None):
    if after_s is not None:
        time.sleep(after_s)
        os.kill(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
