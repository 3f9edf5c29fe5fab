"""A history whose file cannot be written now: read-only, on a full or failing disk, damaged. It stands in for it.

What the file holds is read where that can be done without writing; every change is refused with the reason. With each
change that is asked for, the file is tried again, and used from then on when it can be.
"""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.errors import StateError
from edge.recommend.database import APPLICATION_ID, FORMAT_VERSION, SCHEMA, make_private, saying
from edge.recommend.history import KEPT_PER_USER, History

log = logging.getLogger(__name__)


class StandIn(History):
    """Answers as an empty history, or with what can be read, until the file can be written."""

    def __init__(self, path: Path, reason: StateError):
        """``reason``: what opening the history raised."""
        self.path, self._kept_per_user = path, KEPT_PER_USER
        self._write_lock, self._read_lock = threading.Lock(), threading.Lock()
        self._writer = self._reader = _what_can_be_read(path)
        self._reason: StateError | None = reason

    @property
    def refuses(self) -> str | None:
        return None if self._reason is None else str(self._reason)

    @contextmanager
    def _writing(self, done: str) -> Iterator[sqlite3.Connection]:
        self._mend()
        with super()._writing(done) as database:
            yield database

    def _mend(self) -> None:
        """Raises StateError while the file cannot be written."""
        with self._write_lock, self._read_lock:
            if self._reason is None:
                return
            try:
                whole = self._opened()
            except StateError as error:
                self._reason = error
                raise
            self._writer, self._reader, self._reason = whole._writer, whole._reader, None
        log.warning("%s can be written again; feedback is kept from now on", self.path)

    def _opened(self) -> History:
        with saying(self.path, "opened"):
            make_private(self.path)
        self._reader.close()  # while the first is open, SQLite lets a second connection do no more than that one
        try:
            return History(self.path, kept_per_user=self._kept_per_user)
        except StateError:
            self._writer = self._reader = _what_can_be_read(self.path)
            raise


def open_kept(path: Path) -> History:
    """The history, or what stands in for it, with a line in the log. Raises StateError where no folder can be."""
    try:
        return History(path)
    except StateError as error:
        if isinstance(error.__cause__, (NotADirectoryError, FileExistsError)):  # a wrong --state stays wrong
            raise
        log.error("feedback is refused, all else goes on: %s", error)
        return StandIn(path, error)


def _what_can_be_read(path: Path) -> sqlite3.Connection:
    """Read only; a log that a killed daemon left is read where the kernel lets it. Else an empty one in memory."""
    for mode in ("mode=ro", "mode=ro&immutable=1"):
        database = None
        try:
            database = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None,
                                       check_same_thread=False)
            if _is_history(database):
                return database
        except (sqlite3.Error, UnicodeDecodeError):
            pass
        if database is not None:
            database.close()
    database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    database.executescript(SCHEMA)
    return database


def _is_history(database: sqlite3.Connection) -> bool:
    ids = [database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
    return ids == [APPLICATION_ID, FORMAT_VERSION] and database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
