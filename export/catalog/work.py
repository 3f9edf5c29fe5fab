"""What a build has understood so far, kept beside the snapshot: a killed build goes on where it was.

One SQLite file. Each result stands under a key made of all that it depends on: the file's name, size and time of
change, what was said about it, and the models. Arrays are .npz without pickles.
"""

import hashlib
import io
import json
import sqlite3
import zipfile
from pathlib import Path

import numpy as np

from edge.errors import ExportError
from export.catalog.scan import MediaFile
from export.catalog.understand import Understood

FORMAT = 1
"""Raised when the same file and models would be understood in another way."""
FILE_NAME = "understood.sqlite"
SCHEMA = """
CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, content BLOB NOT NULL, used INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS begun (key TEXT PRIMARY KEY, times INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class WorkFolder:
    """A context manager. Every call is durable against a kill of the process when it returns."""

    def __init__(self, folder: Path):
        """Raises ExportError when the folder cannot be used."""
        self._path = folder / FILE_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(self._path, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.executescript(SCHEMA)
            self._build = int(self.state("build") or 0) + 1
            self.remember("build", str(self._build))
        except (OSError, sqlite3.Error) as error:
            raise _unusable(self._path, error) from error

    def state(self, name: str) -> str | None:
        found = self._do("SELECT value FROM state WHERE name = ?", name)
        return found[0][0] if found else None

    def remember(self, name: str, value: str) -> None:
        self._do("INSERT OR REPLACE INTO state VALUES (?, ?)", name, value)

    def result(self, key: str) -> list[Understood] | None:
        """The items of an earlier build; None when it has to be done."""
        found = self._do("SELECT content FROM results WHERE key = ?", key)
        if not found:
            return None
        try:
            items = _unpacked(found[0][0])
        except (ValueError, KeyError, TypeError, OSError, zipfile.BadZipFile):
            return None  # damaged: done again
        self._do("UPDATE results SET used = ? WHERE key = ?", self._build, key)
        return items

    def begin(self, key: str) -> int:
        """Note that a file is about to be understood. Returns how often that was begun and never came to an end."""
        self._do("INSERT INTO begun VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET times = times + 1", key)
        return self._do("SELECT times FROM begun WHERE key = ?", key)[0][0] - 1

    def end(self, key: str) -> None:
        """It came to an end, good or bad."""
        self._do("DELETE FROM begun WHERE key = ?", key)

    def keep(self, key: str, items: list[Understood]) -> None:
        self._do("INSERT OR REPLACE INTO results VALUES (?, ?, ?)", key, _packed(items), self._build)

    def forget_unused(self) -> None:
        """Drop the results that this build did not use: of files that changed or are gone, of other models."""
        self._do("DELETE FROM results WHERE used < ?", self._build)

    def _do(self, question: str, *values: object) -> list[tuple]:
        try:
            return self._database.execute(question, values).fetchall()
        except sqlite3.Error as error:
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


def _packed(items: list[Understood]) -> bytes:
    arrays = {f"{number}/{view}": vectors
              for number, item in enumerate(items) for view, vectors in item.vectors.items()}
    arrays["fields"] = np.frombuffer(json.dumps([item.fields for item in items]).encode(), np.uint8)
    packed = io.BytesIO()
    np.savez(packed, **arrays)  # type: ignore[arg-type]  # the names come from the views
    return packed.getvalue()


def _unpacked(content: bytes) -> list[Understood]:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        fields = json.loads(arrays["fields"].tobytes())
        vectors: list[dict[str, np.ndarray]] = [{} for _ in fields]
        for name in arrays.files:
            number, slash, view = name.partition("/")
            if slash:
                vectors[int(number)][view] = arrays[name]
    return [Understood(said, found) for said, found in zip(fields, vectors, strict=True)]
