"""The items of a snapshot: SQLite with a full-text index, opened read-only and immutable."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from edge.catalog.text import fts_query
from edge.errors import SnapshotError

COLUMNS = ("row", "item", "kind", "title", "artist", "album", "genre", "channel", "year", "duration_s", "licence",
           "source", "explicit", "popularity", "start_s")
SCHEMA = f"""
CREATE TABLE items ({', '.join(COLUMNS)}, PRIMARY KEY (row));
CREATE UNIQUE INDEX items_by_id ON items (item);
CREATE VIRTUAL TABLE texts USING fts5 (title, artist, album, genre, content='', tokenize='unicode61');
"""
WEIGHTS = (4.0, 3.0, 2.0, 1.0)
"""How much a word found in title, artist, album and genre counts."""


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
    year: int | None = None
    duration_s: float | None = None
    licence: str | None = None
    source: str | None = None
    """The package or file that it comes from."""
    explicit: int = 0
    """1: not for children."""
    popularity: float = 0.0
    """How often it is played elsewhere, 0 to 1."""
    start_s: float | None = None
    """Of a shot: where in the film it begins."""


class Items:
    """May be used by several threads, one at a time."""

    def __init__(self, path: Path, count: int):
        """Raises SnapshotError when the file is not a database of that many items."""
        self._path = path
        self._database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True,
                                         check_same_thread=False)
        self._select = f"SELECT {', '.join(COLUMNS)} FROM items"
        found = self._ask("SELECT count(*), coalesce(min(row), 0), coalesce(max(row), -1) FROM items", ())[0]
        if tuple(found) != (count, 0, count - 1):
            raise SnapshotError(f"{path}: holds {found[0]} items in rows {found[1]} to {found[2]}, not {count} from 0")
        self._ask("SELECT rowid FROM texts LIMIT 1", ())
        self._count = count

    def __len__(self) -> int:
        return self._count

    def by_row(self, row: int) -> Item:
        found = self._ask(f"{self._select} WHERE row = ?", (int(row),))
        if not found:
            raise SnapshotError(f"{self._path}: has no row {row}; it has {self._count} items")
        return Item(*found[0])

    def by_id(self, item: str) -> Item | None:
        found = self._ask(f"{self._select} WHERE item = ?", (item,))
        return Item(*found[0]) if found else None

    def search(self, words: str, k: int) -> list[tuple[int, float]]:
        """Rows whose texts hold all the words, with a score (BM25, higher is better), best first."""
        query = fts_query(words)
        if not query:
            return []
        weights = ", ".join(map(str, WEIGHTS))
        return [(row, -rank) for row, rank in self._ask(
            f"SELECT rowid, bm25(texts, {weights}) AS rank FROM texts WHERE texts MATCH ? ORDER BY rank, rowid LIMIT ?",
            (query, int(k)))]

    def _ask(self, question: str, values: tuple) -> list:
        try:
            return self._database.execute(question, values).fetchall()
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            raise SnapshotError(f"{self._path}: not a readable catalogue of items: {error}") from error

    def close(self) -> None:
        self._database.close()
