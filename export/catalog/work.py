"""What a build has understood so far, kept beside the snapshot: a killed build goes on where it was.

One SQLite file. Each result stands under a key made of all that it depends on: the file's name, size and time of
change, what was said about it, and the models.
"""

import hashlib
import json
import sqlite3
from pathlib import Path

from edge.errors import ExportError
from export.catalog.packed import Understood, unpack
from export.catalog.scan import MediaFile

FORMAT = 3
"""Raised when the same file and models would be understood in another way."""
FILE_NAME = "understood.sqlite"
SCHEMA = """
CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, content BLOB NOT NULL, used INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS refusals (key TEXT PRIMARY KEY, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class WorkFolder:
    """A context manager, for one build at a time. What it was told survives a kill of the process."""

    def __init__(self, folder: Path):
        """Raises ExportError when the folder cannot be used, as while another build uses it."""
        self._path = folder / FILE_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(self._path, isolation_level=None, timeout=1.0)
            for setting in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = NORMAL"):
                self._database.execute(f"PRAGMA {setting}")
            self._database.executescript(SCHEMA)
            self._database.execute("DELETE FROM refusals")  # what could not be read is tried again
            self._build = int(self.state("build") or 0) + 1
            self.remember("build", str(self._build))
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise ExportError(f"{folder}: another build is at work there; wait for it, or give this one another "
                                  "folder with --work") from error
            raise _unusable(self._path, error) from error
        except (OSError, sqlite3.Error) as error:
            raise _unusable(self._path, error) from error

    def state(self, name: str) -> str | None:
        found = self._do("SELECT value FROM state WHERE name = ?", name)
        return found[0][0] if found else None

    def remember(self, name: str, value: str) -> None:
        self._do("INSERT OR REPLACE INTO state VALUES (?, ?)", name, value)

    def has(self, key: str) -> bool:
        """Whether an earlier build left this result, whole; if so, it counts as used by this one."""
        if self.result(key) is None:
            return False
        self._do("UPDATE results SET used = ? WHERE key = ?", self._build, key)
        return True

    def result(self, key: str) -> list[Understood] | None:
        """The items of a file; None when there is no result or it is damaged."""
        found = self._do("SELECT content FROM results WHERE key = ?", key)
        try:
            return unpack(found[0][0]) if found else None
        except ValueError:
            return None

    def refusal(self, key: str) -> str | None:
        """Why a file gave nothing in this build."""
        found = self._do("SELECT reason FROM refusals WHERE key = ?", key)
        return found[0][0] if found else None

    def keep(self, key: str, content: bytes) -> None:
        """A packed result (packed.py)."""
        self._do("INSERT OR REPLACE INTO results VALUES (?, ?, ?)", key, content, self._build)

    def refuse(self, key: str, reason: str) -> None:
        self._do("INSERT OR REPLACE INTO refusals VALUES (?, ?)", key, reason)

    def forget_unused(self) -> None:
        """Drop the results that this build did not use: of files that changed or are gone, of other models."""
        self._do("DELETE FROM results WHERE used < ?", self._build)

    def _do(self, question: str, *values: object) -> list[tuple]:
        try:
            return self._database.execute(question, values).fetchall()
        except (sqlite3.Error, UnicodeError) as error:
            raise _unusable(self._path, error) from error

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> "WorkFolder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _unusable(path: Path, error: Exception) -> ExportError:
    return ExportError(f"{path}: cannot be used: {error}; free some space, or delete the folder to begin anew")


def result_key(file: MediaFile, identity: str) -> str:
    """What a file's result depends on, as 64 hexadecimal digits."""
    depends = [FORMAT, file.name, file.kind, file.size_bytes, file.modified_ns, sorted(file.known.items()), identity]
    return hashlib.sha256(json.dumps(depends, ensure_ascii=True).encode()).hexdigest()
