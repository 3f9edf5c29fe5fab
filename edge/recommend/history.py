"""What each user did, kept in SQLite: an event that was acknowledged survives kill -9 and a power cut.

Write-ahead log with synchronous=FULL: ``add`` returns after the disk has confirmed (https://sqlite.org/wal.html).
Readers have a connection of their own and never wait for a write. The order of events is the order of their
arrival, so a clock that jumps cannot reorder a history.
"""

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

from edge.errors import ConflictError, StateError, UsageError
from edge.recommend.database import check_whole, connect, has_rounds, saying, transaction
from edge.recommend.event import EVENTS, Event, check
from edge.recommend.round import Round

__all__ = ["EVENTS", "Event", "History"]

KEPT_PER_USER = 50_000
"""Older deeds of a user are dropped: some 8 MB, years of a household's listening."""
KEPT_IMPRESSIONS_PER_USER = 10_000
"""Apart from those: a screen that shows lists all day must not push out what somebody did."""
KEPT_ROUNDS_PER_USER = 1024
"""Of older impressions it is forgotten what they were drawn from: .6 MB as a rule, 4 MB at most."""
RETENTION_CHECK_EVERY = 256
FIELDS = "id, user, item, event, value, time_s"
KINDS = DEEDS, IMPRESSIONS = "event <> 'impression'", "event = 'impression'"


class History:
    """A context manager; one process writes, any number read. Threads may share it.

    Every method raises StateError, in one sentence, when the file is locked, full, damaged or unreadable, and
    UsageError for an event that is not one; nothing is half done then.
    """

    def __init__(self, path: str | Path, *, kept_per_user: int = KEPT_PER_USER, wait_s: float = 5.0):
        """Open a history, made when missing, readable by its owner only.

        ``wait_s`` is how long a write waits for another program's write before it is refused.
        """
        self.path, self._kept_per_user = Path(path), kept_per_user
        self._write_lock, self._read_lock = threading.Lock(), threading.Lock()
        with saying(self.path, "opened"):
            self._writer = connect(self.path, wait_s=wait_s)
            self._reader = connect(self.path, wait_s=wait_s)
            check_whole(self._reader)

    def add(self, event: Event, drawn_from: Round | None = None) -> bool:
        """Keep an event; it is on the disk when this returns. ``drawn_from``: what an impression was drawn from.

        Returns False when exactly this event was there already. Raises ConflictError when another event of the
        same id was.
        """
        result = self.add_each([event], [drawn_from])[0]
        if isinstance(result, ConflictError):
            raise result
        return result

    def add_all(self, events: Iterable[Event]) -> int:
        """Keep all events or, when one is refused, none. Returns how many were new."""
        rows = list(events)
        for event in rows:
            check(event)
        with self._writing("stored") as database:
            new = sum(self._insert(database, event) for event in rows)
            for user in {event.user for event in rows} if new else ():
                self._retain(database, user, new)
        return new

    def add_each(
        self, events: Sequence[Event], drawn_from: Sequence[Round | None] = ()
    ) -> list[bool | ConflictError]:
        """Keep events in one go, but for those whose id was used before with other content.

        ``drawn_from``: for each event what it was drawn from, or nothing at all. Returns for each whether it was new,
        or why it was refused.
        """
        rounds = list(drawn_from) or [None] * len(events)
        for event, drawn in zip(events, rounds, strict=True):
            check(event)
            if drawn is not None:
                drawn.check(event)
        with self._writing("stored") as database:
            results = [self._inserted(database, event, drawn) for event, drawn in zip(events, rounds, strict=True)]
            for user in {event.user for event, drawn in zip(events, rounds, strict=True) if drawn is not None}:
                self._retain_rounds(database, user)
            new = sum(result is True for result in results)
            for user in {event.user for event, result in zip(events, results, strict=True) if result is True}:
                self._retain(database, user, new)
        return results

    def events(self, user: str, *, after: int = 0, limit: int | None = None) -> list[Event]:
        """A user's events, oldest first: those that arrived after the number ``after``, the last ``limit``."""
        return [event for _, event in self.numbered(user, after=after, limit=limit)]

    def numbered(self, user: str, *, after: int = 0, limit: int | None = None) -> list[tuple[int, Event]]:
        """As ``events``, each with its number: numbers only grow, over all users."""
        question = f"SELECT number, {FIELDS} FROM events WHERE user = ? AND number > ? ORDER BY number DESC LIMIT ?"
        rows = self._read(question, (user, after, -1 if limit is None else limit))
        return [(row[0], Event(*row[1:])) for row in reversed(rows)]

    def lately(self, user: str, *, after: int, deeds: int, impressions: int) -> list[tuple[int, Event]]:
        """As ``numbered``, the last ``deeds`` of what somebody did and the last ``impressions`` of what was shown."""
        halves = [f"SELECT * FROM (SELECT number, {FIELDS} FROM events WHERE user = ? AND number > ? AND {kind} "
                  "ORDER BY number DESC LIMIT ?)" for kind in KINDS]  # fmt: skip
        question = " UNION ALL ".join(halves) + " ORDER BY number"
        rows = self._read(question, (user, after, deeds, user, after, impressions))
        return [(row[0], Event(*row[1:])) for row in rows]

    def rounds(self, user: str) -> dict[str, Round]:
        """What a user's impressions were drawn from, by the id of the event; those of which it is kept."""
        with self._read_lock, saying(self.path, "read"):
            if not has_rounds(self._reader):  # an older version's file that can only be read
                return {}
        question = "SELECT id, drawn_from FROM events WHERE user = ? AND drawn_from IS NOT NULL ORDER BY number"
        found = {}
        for name, text in self._read(question, (user,)):
            with suppress(UsageError):  # a damaged one is worth less than the event beside it
                found[name] = Round.parse(text)
        return found

    def users(self) -> list[str]:
        return [row[0] for row in self._read("SELECT DISTINCT user FROM events ORDER BY user", ())]

    def forgettings(self) -> int:
        """How often ``forget`` has run on this file: what was learned before a change of it is void."""
        return self._read("SELECT value FROM counters WHERE name = 'forgettings'", ())[0][0]

    def forget(self, user: str) -> int:
        """Remove every byte about a user from the files. Returns how many events there were.

        Deleted rows are overwritten (secure_delete), the file is rebuilt (VACUUM) and the log is emptied.
        """
        with self._writing("changed") as database:
            count = database.execute("DELETE FROM events WHERE user = ?", (user,)).rowcount
            database.execute("UPDATE counters SET value = value + 1 WHERE name = 'forgettings'")
        with self._write_lock, self._read_lock, saying(self.path, "rebuilt"):
            self._writer.execute("VACUUM")
            busy = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise StateError(
                f"{self.path}: the events of {user!r} are deleted, but traces stay in the log while another "
                "program reads it; forget again when it has ended"
            )
        return count

    @property
    def refuses(self) -> str | None:
        """Why no event can be kept now, where that is known beforehand."""
        return None

    def close(self) -> None:
        with self._write_lock, self._read_lock:
            self._writer.close()
            self._reader.close()

    def __enter__(self) -> "History":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _inserted(self, database: sqlite3.Connection, event: Event, drawn: Round | None) -> bool | ConflictError:
        try:
            return self._insert(database, event, drawn)
        except ConflictError as error:
            return error

    def _insert(self, database: sqlite3.Connection, event: Event, drawn: Round | None = None) -> bool:
        stamped = event if event.time_s is not None else replace(event, time_s=time.time())
        sql = f"INSERT INTO events ({FIELDS}, drawn_from) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
        if database.execute(sql, (*astuple(stamped), drawn and drawn.text())).rowcount == 1:
            return True
        row = database.execute(f"SELECT {FIELDS} FROM events WHERE id = ?", (event.id,)).fetchone()
        if not event.same_as(Event(*row)):
            raise ConflictError(
                f"event id {event.id!r} was used before with other content; give every event an id of its own"
            )
        return False

    def _retain(self, database: sqlite3.Connection, user: str, added: int) -> None:
        """Drop all but the newest deeds and impressions; looked at every few hundred events."""
        newest = database.execute("SELECT max(number) FROM events WHERE user = ?", (user,)).fetchone()[0]
        if newest % RETENTION_CHECK_EVERY >= added:
            return
        for kind, kept in ((DEEDS, self._kept_per_user), (IMPRESSIONS, KEPT_IMPRESSIONS_PER_USER)):
            database.execute(
                f"DELETE FROM events WHERE user = ? AND {kind} AND number <= (SELECT number FROM events "
                f"WHERE user = ? AND {kind} ORDER BY number DESC LIMIT 1 OFFSET ?)",
                (user, user, kept),
            )

    def _retain_rounds(self, database: sqlite3.Connection, user: str) -> None:
        """Forget what all but the newest KEPT_ROUNDS_PER_USER impressions were drawn from."""
        database.execute(
            "UPDATE events SET drawn_from = NULL WHERE user = ? AND drawn_from IS NOT NULL AND number <= "
            "(SELECT number FROM events WHERE user = ? AND drawn_from IS NOT NULL "
            "ORDER BY number DESC LIMIT 1 OFFSET ?)",
            (user, user, KEPT_ROUNDS_PER_USER),
        )

    @contextmanager
    def _writing(self, done: str) -> Iterator[sqlite3.Connection]:
        with self._write_lock, saying(self.path, done), transaction(self._writer) as database:
            yield database

    def _read(self, question: str, values: tuple[Any, ...]) -> list[Any]:
        with self._read_lock, saying(self.path, "read"):
            return self._reader.execute(question, values).fetchall()
