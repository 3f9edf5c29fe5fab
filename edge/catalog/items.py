"""The items of a snapshot: SQLite with a full-text index, opened read-only and immutable."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from types import NoneType
from typing import Any

from edge.catalog.text import query_phrases
from edge.errors import SnapshotError

SCHEMA = """
CREATE TABLE items (
    row INTEGER PRIMARY KEY, item TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, title TEXT NOT NULL, artist TEXT,
    album TEXT, genre TEXT, channel TEXT, year INTEGER, duration_s REAL, licence TEXT, source TEXT,
    explicit INTEGER NOT NULL, popularity REAL NOT NULL, start_s REAL, added_s REAL) STRICT;
CREATE VIRTUAL TABLE texts USING fts5 (
    title, artist, album, genre, content='', tokenize='unicode61 remove_diacritics 2');
"""
WEIGHTS = (8.0, 4.0, 2.0, 1.0)
"""How much a word found in title, artist, album and genre counts."""
PAGE_CACHE_KIB = 512
MOST_AT_ONCE = 500
"""Rows asked for in one question; SQLite allows 999 values."""
DAMAGED = (sqlite3.Error, OverflowError, UnicodeError, MemoryError)
"""What sqlite3 raises over a file that is none of its own; UnicodeError where a damaged text is in the message."""


@dataclass(frozen=True)
class Item:
    """One thing that can be recommended."""

    row: int
    """Position in this snapshot, 0 to items - 1; views refer to it."""
    item: str
    """Stable identifier, as ``track:...`` or ``shot:...``."""
    kind: str
    """``track`` or ``shot``."""
    title: str
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    channel: str | None = None
    """Of a shot: the film."""
    year: int | None = None
    duration_s: float | None = None
    licence: str | None = None
    source: str | None = None
    """The package or file that it comes from."""
    explicit: bool = False
    """Not for children."""
    popularity: float = 0.0
    """How often it is played elsewhere, 0 to 1."""
    start_s: float | None = None
    """Of a shot: where in the film it begins."""
    added_s: float | None = None
    """When it came into the catalogue, in seconds since 1970."""


COLUMNS = tuple(field.name for field in fields(Item))
_ACCEPTED: dict[Any, tuple[type, ...]] = {
    int: (int,), bool: (int,), str: (str,), float: (float,),
    str | None: (str, NoneType), int | None: (int, NoneType), float | None: (float, NoneType)}
_TYPES = tuple(_ACCEPTED[field.type] for field in fields(Item))


class Items:
    """Used by one thread at a time, any one."""

    def __init__(self, path: Path, count: int):
        """Raises SnapshotError when the file is not a database of that many items."""
        self._path, self._count = path, count
        self._select = f"SELECT {', '.join(COLUMNS)} FROM items"
        self._database = _connect(path)
        ends = [self._ask(f"SELECT {end}(row) FROM items")[0][0] for end in ("min", "max")]  # each a look, no scan
        if ends != ([0, count - 1] if count else [None, None]):
            raise SnapshotError(f"{path}: its rows go from {ends[0]} to {ends[1]}, not from 0 to {count - 1}; build "
                                "the catalogue again")
        self._ask("SELECT rowid FROM texts LIMIT 1")

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Item]:
        """All items in the order of their rows."""
        for start in range(0, self._count, MOST_AT_ONCE):
            yield from self.by_rows(range(start, min(start + MOST_AT_ONCE, self._count)))

    def by_row(self, row: int) -> Item:
        """Raises SnapshotError for a row that there is not."""
        found = self._ask(f"{self._select} WHERE row = ?", (int(row),))
        if not found:
            raise SnapshotError(f"{self._path}: has no row {row}; it has {self._count} items")
        return self._item(found[0])

    def by_rows(self, rows: Sequence[int]) -> list[Item]:
        """The items of these rows in their order. Raises SnapshotError for a row that there is not."""
        wanted = [int(row) for row in rows]
        found: dict[int, Item] = {}
        for start in range(0, len(wanted), MOST_AT_ONCE):
            part = wanted[start : start + MOST_AT_ONCE]
            answer = self._ask(f"{self._select} WHERE row IN ({', '.join('?' * len(part))})", part)
            found.update((values[0], self._item(values)) for values in answer)
        if missing := [row for row in wanted if row not in found]:
            raise SnapshotError(f"{self._path}: has no row {missing[0]}; it has {self._count} items")
        return [found[row] for row in wanted]

    def by_id(self, item: str) -> Item | None:
        if not item.isprintable():  # no id has such characters, and SQLite takes no lone surrogates
            return None
        found = self._ask(f"{self._select} WHERE item = ?", (item,))
        return self._item(found[0]) if found else None

    def search(self, words: str, k: int) -> list[tuple[int, float]]:
        """Rows that hold the words, with a score (BM25, higher is better), best first.

        All the words must be there; only if no item has them all, those with some of them are given.
        """
        phrases = query_phrases(words)
        found = self._match(" AND ".join(phrases), k)
        return found or self._match(" OR ".join(phrases), k)

    def _match(self, expression: str, k: int) -> list[tuple[int, float]]:
        if not expression or k < 1:
            return []
        found = self._ask(
            f"SELECT rowid, bm25(texts, {', '.join(map(str, WEIGHTS))}) AS cost FROM texts WHERE texts MATCH ? "
            "ORDER BY cost, rowid LIMIT ?", (expression, int(k)))
        if not all(isinstance(row, int) and 0 <= row < self._count for row, _ in found):
            raise SnapshotError(f"{self._path}: its text index names an item that there is not; build it again")
        return [(row, -cost) for row, cost in found]

    def _item(self, values: tuple) -> Item:
        if not all(isinstance(value, kinds) for value, kinds in zip(values, _TYPES, strict=True)):
            raise SnapshotError(f"{self._path}: row {values[0]!r:.40} is not an item; build the catalogue again")
        item = dict(zip(COLUMNS, values, strict=True))
        return Item(**{**item, "explicit": bool(item["explicit"])})

    def _ask(self, question: str, values: Sequence[Any] = ()) -> list[tuple]:
        try:
            return self._database.execute(question, values).fetchall()
        except DAMAGED as error:
            raise _unreadable(self._path, error) from error

    def close(self) -> None:
        self._database.close()


def _connect(path: Path) -> sqlite3.Connection:
    """Pages are read, not mapped, and few are kept: a large catalogue takes no more memory than a small one."""
    try:
        database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
        for setting in (f"cache_size = -{PAGE_CACHE_KIB}", "mmap_size = 0", "trusted_schema = OFF",
                        "cell_size_check = ON", "query_only = ON"):
            database.execute(f"PRAGMA {setting}")
        return database
    except DAMAGED as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: BaseException) -> SnapshotError:
    return SnapshotError(f"{path}: not a readable catalogue of items: {error!s:.120}; build the catalogue again")
