"""The history's SQLite file: opened safely, and every way in which it can fail said in one sentence."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.errors import StateError

FORMAT_VERSION = 1
APPLICATION_ID = 0x526F6F6D  # "Room"
SCHEMA = """
CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    user TEXT NOT NULL,
    item TEXT NOT NULL,
    event TEXT NOT NULL,
    value REAL,
    time_s REAL NOT NULL,
    drawn_from TEXT
);
CREATE INDEX events_of_user ON events (user, number);
CREATE INDEX rounds_of_user ON events (user, number) WHERE drawn_from IS NOT NULL;
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counters VALUES ('forgettings', 0);
"""
LATER = ("ALTER TABLE events ADD COLUMN drawn_from TEXT",
         "CREATE INDEX rounds_of_user ON events (user, number) WHERE drawn_from IS NOT NULL")  # fmt: skip
"""What an older version's file lacks. That version goes on reading, writing and forgetting with it, so the format's
number is the same."""
SETTINGS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "secure_delete=ON",  # deleted rows are overwritten
    "temp_store=MEMORY",  # VACUUM leaves no copy in a temporary file
    "wal_autocheckpoint=128",  # half a megabyte of log: one event in thirty waits for a checkpoint
)
CAUSES = {
    "SQLITE_BUSY": "another program holds it locked; end that program or try again",
    "SQLITE_LOCKED": "another program holds it locked; end that program or try again",
    "SQLITE_FULL": "the disk is full; make room and try again, nothing that was kept is lost",
    "SQLITE_CORRUPT": "the file is damaged; move it away to start a new one, or restore a copy",
    "SQLITE_NOTADB": "the file is damaged or not a database; move it away to start a new one",
    "SQLITE_READONLY": "it cannot be written; give its owner the right to write the file and its folder",
    "SQLITE_CANTOPEN": "it cannot be opened; it must be a file in a folder that can be written",
    "SQLITE_IOERR": "the disk refused; make room on it or replace it, nothing that was kept is lost",
}


@contextmanager
def saying(path: Path, done: str) -> Iterator[None]:
    """Turn what SQLite or the system raises into a StateError: this file could not be ``done``, since, so do."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        cause = next((text for prefix, text in CAUSES.items() if name.startswith(prefix)), str(error))
        raise StateError(f"{path}: the history could not be {done}: {cause}") from error
    except UnicodeDecodeError as error:  # SQLite quotes a damaged name when it complains about it
        raise StateError(f"{path}: the history could not be {done}: {CAUSES['SQLITE_CORRUPT']}") from error
    except OSError as error:
        raise StateError(f"{path}: the history could not be {done}: {error.strerror or error}") from error


def connect(path: Path, *, wait_s: float) -> sqlite3.Connection:
    """Open or make the file, checked and with its settings. Raises what ``saying`` translates, and StateError."""
    make_private(path)
    database = sqlite3.connect(path, timeout=wait_s, isolation_level=None, check_same_thread=False)
    try:
        _recognise(database, path)
        _extend(database)
        for setting in SETTINGS:
            database.execute(f"PRAGMA {setting}")
    except BaseException:
        database.close()
        raise
    return database


def make_private(path: Path) -> None:
    """Make the file when missing, and see that only its owner may read it: mode 0600, the log inherits it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) != 0o600:
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the file's name must survive a power cut too
    finally:
        os.close(folder)


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing, on the disk at the end."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield database
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:  # a full disk has ended it already
            database.execute("ROLLBACK")
        raise


def _recognise(database: sqlite3.Connection, path: Path) -> None:
    """Lay out an empty file; refuse another program's and a newer Roomtone's."""
    version, application = (_pragma(database, name) for name in ("user_version", "application_id"))
    if application == APPLICATION_ID:
        if version > FORMAT_VERSION:
            raise StateError(
                f"{path}: the history has format {version}, this version of Roomtone reads format "
                f"{FORMAT_VERSION}; update Roomtone, or move the file away to start a new history"
            )
        return
    with transaction(database):
        if database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            if _pragma(database, "application_id") == APPLICATION_ID:
                return  # another process laid it out in between
            raise StateError(f"{path}: this is another program's database; choose another file for the history")
        for statement in SCHEMA.split(";"):
            database.execute(statement)
        database.execute(f"PRAGMA application_id={APPLICATION_ID}")
        database.execute(f"PRAGMA user_version={FORMAT_VERSION}")


def _extend(database: sqlite3.Connection) -> None:
    if has_rounds(database):
        return
    with transaction(database):
        if not has_rounds(database):  # another process may have been first
            for statement in LATER:
                database.execute(statement)


def has_rounds(database: sqlite3.Connection) -> bool:
    """Whether the file can hold what impressions were drawn from."""
    return any(row[1] == "drawn_from" for row in database.execute("PRAGMA table_info(events)"))


def check_whole(database: sqlite3.Connection) -> None:
    """Look at every page once. Raises what ``saying`` translates, for a damaged file."""
    found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        error = sqlite3.DatabaseError(found)
        error.sqlite_errorname = "SQLITE_CORRUPT"
        raise error


def _pragma(database: sqlite3.Connection, name: str) -> int:
    return int(database.execute(f"PRAGMA {name}").fetchone()[0])
