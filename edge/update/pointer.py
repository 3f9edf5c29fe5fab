"""Which release is in use: ``pointer.json``, replaced as a whole, so that every change of it happens or does not.

``{"format": 1, "release": NAME, "before": NAME, "proved": false, "starts": 1, "failed": {NAME: "why"}}``; a null name
is the bundle and catalogue that come with Roomtone.
"""

import contextlib
import dataclasses
import fcntl
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.disk import write_whole
from edge.errors import StateError
from edge.manifest import Fields

FILE_NAME, LOCK_NAME = "pointer.json", "pointer.lock"
FORMAT_VERSION = 1
MAX_BYTES = 65536
MOST_FAILED = 16
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,80}", re.ASCII)


@dataclass(frozen=True)
class Pointer:
    release: str | None = None
    """What the next start uses; None for what comes with Roomtone."""
    before: str | None = None
    """The last one that was proved: where a revert goes."""
    proved: bool = True
    """Whether ``release`` has been healthy for a while."""
    starts: int = 0
    """How often ``release`` was started without having been proved."""
    failed: dict[str, str] = field(default_factory=dict)
    """Releases that were reverted, and why; not to be installed again."""

    def pointing_at(self, release: str) -> "Pointer":
        """A new release on trial, what was proved last behind it; that one itself needs no trial."""
        proved = self.release if self.proved else self.before
        failed = {name: why for name, why in self.failed.items() if name != release}
        if not self.proved and release == proved:
            return Pointer(release, None, True, 0, failed)
        return Pointer(release, proved, False, 0, failed)

    def reverted(self, why: str) -> "Pointer":
        """Back to the last one that was proved. A release that had been proved before it broke may come again."""
        failed = self.failed
        if not self.proved and self.release is not None:
            kept = list(self.failed.items())[-(MOST_FAILED - 1) :]
            failed = {**dict(kept), self.release: why[:300]}
        return Pointer(release=self.before, failed=failed)


def read(updates: Path) -> Pointer:
    """The pointer, or that of a device that was never updated. Raises StateError when it is damaged."""
    path = updates / FILE_NAME
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(MAX_BYTES))
    except FileNotFoundError:
        return Pointer()
    except (OSError, ValueError, RecursionError) as error:
        raise StateError(f"{path}: cannot be read: {str(error)[:120]}; `roomtone update` writes it anew") from error
    return _parsed(Fields(document, str(path), StateError))


def _parsed(fields: Fields) -> Pointer:
    if fields.integer("format") != FORMAT_VERSION:
        raise StateError(f"{FILE_NAME}: its format is not {FORMAT_VERSION}; `roomtone update` writes it anew")
    failed = fields.fields("failed")
    return Pointer(
        release=_name(fields, "release"), before=_name(fields, "before"), proved=fields.truth("proved"),
        starts=fields.integer("starts", 0, 1 << 20), failed={name: failed.text(name) for name in failed})


def _name(fields: Fields, key: str) -> str | None:
    """A folder of the releases: no name leads out of it."""
    if fields.plain().get(key) is None:
        return None
    name = fields.text(key)
    if not NAME.fullmatch(name):
        raise StateError(f"{FILE_NAME}: {key} {name!r:.80} is not the name of a release")
    return name


def write(updates: Path, pointer: Pointer) -> None:
    """Durable when it returns. Raises StateError."""
    document: dict[str, Any] = {"format": FORMAT_VERSION, **dataclasses.asdict(pointer)}
    try:
        updates.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(updates / FILE_NAME, json.dumps(document, indent=1).encode())
    except OSError as error:
        raise StateError(f"{updates / FILE_NAME}: cannot be written: {error.strerror or error}; "
                         "free space, or give access") from error


@contextlib.contextmanager
def locked(updates: Path, name: str = LOCK_NAME, *, wait: bool = True) -> Iterator[None]:
    """One process at a time, until it ends or is killed. Raises StateError when it cannot be had."""
    try:
        updates.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(updates / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateError(f"{updates / name}: cannot be opened: {error.strerror or error}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    except BlockingIOError as error:
        raise StateError(f"{updates / name}: another update is under way; wait for its end") from error
    finally:
        os.close(descriptor)
