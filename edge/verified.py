"""What was verified before and has not been touched since: a sealed folder is hashed when it comes, not at each start.

Hashing a catalogue of a million items takes a third of a second on a workstation and several on a slow board. A record
in the state folder holds the manifest's SHA-256 and, of each file, device, inode, size and the times of change to the
nanosecond. No program can set a file's time of change (ctime), so a file that was written to differs from its record.
What only hashing finds, flash memory that decays, is found when the record is RECHECK_DAYS old. One who writes to the
raw flash, or as root to the record, is not found: ROOMTONE_VERIFY=always has everything hashed each time.
"""

import hashlib
import json
import logging
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SETTING, ALWAYS = "ROOMTONE_VERIFY", "always"
RECHECK_DAYS = 30
DAY_S = 86400.0
SETTLED_S = 2.0
"""A file changed less than that ago is not recorded: another change in the same tick of its clock would not show."""
MAX_BYTES = 1 << 20
log = logging.getLogger(__name__)


class Verified:
    """The record of one folder, in the file ``path``. One that cannot be read or written counts for nothing."""

    def __init__(self, path: Path):
        self._path = path
        self._seen: dict[str, Any] | None = None
        self.known = False
        """Whether the folder that was last looked at is as the record says."""

    def look(self, folder: Path, manifest: bytes, names: Iterable[str]) -> bool:
        """Whether these files were verified under this manifest and are as they were then. Before they are hashed."""
        self.known = False
        if os.environ.get(SETTING) == ALWAYS:
            return False
        try:
            self._seen = _seen(folder, manifest, names)
            with self._path.open("rb") as file:
                record = json.loads(file.read(MAX_BYTES))
            self.known = (0 <= time.time() - record["time_s"] < RECHECK_DAYS * DAY_S
                          and record["seen"] == self._seen)
        except (OSError, ValueError, RecursionError, TypeError, KeyError):
            pass
        return self.known

    def remember(self) -> None:
        """Record what was looked at; to be called when all of it has been verified and opened."""
        if self.known or self._seen is None or self._seen["changed_ns"] > (time.time() - SETTLED_S) * 1e9:
            return
        made = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            made.touch(mode=0o600)
            made.write_text(json.dumps({"time_s": time.time(), "seen": self._seen}), "utf-8")
            made.replace(self._path)
        except NotADirectoryError:
            return  # the state as a whole cannot be kept there, which whoever opens it next says
        except OSError as error:
            log.warning("%s cannot be written (%s); the catalogue will be hashed at the next start again",
                        self._path, error.strerror or error)


def _seen(folder: Path, manifest: bytes, names: Iterable[str]) -> dict[str, Any]:
    found = {name: (folder / name).lstat() for name in names}
    return {
        "manifest": hashlib.sha256(manifest).hexdigest(),
        "changed_ns": max((each.st_ctime_ns for each in found.values()), default=0),
        "files": {name: [each.st_dev, each.st_ino, each.st_mode, each.st_size, each.st_mtime_ns, each.st_ctime_ns]
                  for name, each in found.items()},
    }
