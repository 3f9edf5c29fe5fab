"""Ratings read from CSV: user, item, rating, timestamp and, if there are any, texts about the item.

The first line names the columns, in any order and under the usual names (``userId``, ``movieId``, ``score``,
``ts``...). Texts that are understood: title, artist, album, genre (several, divided by |), channel, year.
"""

import csv
import hashlib
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TextIO

import numpy as np

from edge.errors import ExportError
from edge.recommend.event import MAX_ID_CHARACTERS, is_name

NAMES = {
    "user": ("user", "user_id", "userid", "uid", "customer", "household"),
    "item": ("item", "item_id", "itemid", "iid", "movieid", "movie_id", "track_id", "trackid", "id"),
    "rating": ("rating", "score", "stars", "value", "weight"),
    "timestamp": ("timestamp", "time", "time_s", "ts", "unix_timestamp", "date"),
}
TEXTS = {
    "title": ("title", "name", "movie_title"),
    "artist": ("artist", "performer", "author"),
    "album": ("album",),
    "genre": ("genre", "genres", "class", "category"),
    "channel": ("channel", "publisher", "label"),
    "year": ("year", "release_year"),
}
MAX_TEXT_CHARACTERS = 1000
"""What is kept of a longer text."""
MAX_FIELD_CHARACTERS = 64 << 20
CLOCK_TOLERANCE_S = 86400.0


@dataclass(frozen=True)
class Ratings:
    """One entry an interaction, ordered by user, then time: the latest one where a user rated an item twice."""

    users: list[str]
    items: list[str]
    user: np.ndarray
    """int32 (n,), index into ``users``."""
    item: np.ndarray
    """int32 (n,), index into ``items``."""
    rating: np.ndarray
    """float32 (n,)."""
    time_s: np.ndarray
    """float64 (n,), seconds since 1970."""
    texts: list[dict[str, str]]
    """Per item, what the file says about it: keys of TEXTS."""
    repeated: int
    """How many older ratings of the same item by the same user were dropped."""

    def of_users(self, chosen: np.ndarray) -> "Ratings":
        """The ratings of some users, bool (users,); users and items keep their numbers."""
        keep = chosen[self.user]
        return self.where(keep)

    def where(self, keep: np.ndarray) -> "Ratings":
        """Some of the ratings, bool (n,); users and items keep their numbers."""
        return Ratings(self.users, self.items, self.user[keep], self.item[keep], self.rating[keep],
                       self.time_s[keep], self.texts, self.repeated)  # fmt: skip


def read_ratings(path: Path, *, now_s: float | None = None) -> Ratings:
    """Read a CSV file. Raises ExportError, naming the file and the line, for anything that is not a rating.

    ``now_s`` is what a timestamp may not lie beyond; by default the clock's time.
    """
    latest = (time.time() if now_s is None else now_s) + CLOCK_TOLERANCE_S
    try:
        with path.open(encoding="utf-8-sig", newline="") as file, _long_fields():
            return _Reader(path, latest).read(file)
    except OSError as error:
        raise ExportError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ExportError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error


class _long_fields:
    """A text may be longer than the csv module's default limit, which is one for the whole process."""

    def __enter__(self) -> None:
        self._before = csv.field_size_limit(MAX_FIELD_CHARACTERS)

    def __exit__(self, *_: object) -> None:
        csv.field_size_limit(self._before)


class _Reader:
    def __init__(self, path: Path, latest_s: float):
        self._path, self._latest_s = path, latest_s
        self._users: dict[str, int] = {}
        self._items: dict[str, int] = {}
        self._texts: list[dict[str, str]] = []
        self._rows: list[tuple[int, int, float, float]] = []

    def read(self, file: TextIO) -> Ratings:
        lines = csv.reader(file, delimiter=self._delimiter(file), strict=True)  # or an unclosed quote eats the rest
        try:
            header = next(lines, None)
            if not header:
                raise ExportError(f"{self._path}: empty; its first line must name user, item, rating and timestamp")
            self._read_rows(lines, header)
        except csv.Error as error:
            raise ExportError(f"{self._path}, line {lines.line_num}: not CSV: {error}") from error
        return self._result()

    def _delimiter(self, file: TextIO) -> str:
        first = file.readline(1 << 16)
        file.seek(0)
        return max(",\t;", key=first.count)

    def _read_rows(self, lines: Iterable[list[str]], header: list[str]) -> None:
        columns = _columns(self._path, header)
        for number, row in enumerate(lines, start=2):
            if not row:
                continue
            if len(row) != len(header):
                raise self._wrong(number, f"{len(row)} fields where the first line names {len(header)}")
            user = self._identifier(number, "user", row[columns["user"]], self._users)
            item = self._identifier(number, "item", row[columns["item"]], self._items)
            rating = self._number(number, "rating", row[columns["rating"]])
            time_s = self._number(number, "timestamp", row[columns["timestamp"]])
            if not 0 <= time_s <= self._latest_s:
                hint = " (are these milliseconds?)" if 0 < time_s / 1000 <= self._latest_s else ""
                raise self._wrong(number, f"timestamp {time_s:.15g} must be seconds since 1970 and not in the future"
                                          f"{hint}")
            if item == len(self._texts):
                self._texts.append({key: row[columns[key]].strip()[:MAX_TEXT_CHARACTERS]
                                    for key in TEXTS if key in columns})  # fmt: skip
            self._rows.append((user, item, rating, time_s))

    def _identifier(self, line: int, name: str, text: str, known: dict[str, int]) -> int:
        text = text.strip()
        if not is_name(text):
            raise self._wrong(line, f"{name} {text!r:.80} must be 1 to {MAX_ID_CHARACTERS} characters, none of them a "
                                    "control character")
        return known.setdefault(text, len(known))

    def _number(self, line: int, name: str, text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self._wrong(line, f"{name} {text!r:.80} must be a finite number")
        return value

    def _wrong(self, line: int, said: str) -> ExportError:
        return ExportError(f"{self._path}, line {line}: {said}")

    def _result(self) -> Ratings:
        if len(self._users) < 2 or len(self._items) < 2:
            raise ExportError(f"{self._path}: {len(self._users)} users and {len(self._items)} items; at least 2 of "
                              "each are needed to learn who plays what together")  # fmt: skip
        user, item, rating, time_s = (np.array(column) for column in zip(*self._rows, strict=True))
        order = np.lexsort((np.arange(len(user)), time_s, user))
        order = order[_last_of_each(user[order] * len(self._items) + item[order])]
        names, place = _shuffled(list(self._items))
        item, texts = place[item], [self._texts[at] for at in np.argsort(place)]
        return Ratings(
            users=list(self._users), items=names, texts=texts,
            user=user[order].astype(np.int32), item=item[order].astype(np.int32),
            rating=rating[order].astype(np.float32), time_s=time_s[order].astype(np.float64),
            repeated=len(user) - len(order),
        )  # fmt: skip


def _columns(path: Path, header: list[str]) -> dict[str, int]:
    """Where each known column is. Raises ExportError for one that must be there and is not."""
    found = {name.strip().lower().partition(":")[0]: at for at, name in reversed(list(enumerate(header)))}
    columns: dict[str, int] = {}
    for key, names in (NAMES | TEXTS).items():
        at = next((found[name] for name in names if name in found), None)
        if at is not None:
            columns[key] = at
    missing = [key for key in NAMES if key not in columns]
    if missing:
        raise ExportError(f"{path}: no column {' and no column '.join(missing)}; the first line must name user, item, "
                          f"rating and timestamp, it has {', '.join(header)!s:.200}")  # fmt: skip
    return columns


def _shuffled(items: list[str]) -> tuple[list[str], np.ndarray]:
    """The items by a digest of their ids, and the place of each among them, int64 (items,).

    In the order of a file the popular come first, and an evaluation that breaks ties by an item's number knew it.
    """
    order = sorted(range(len(items)), key=lambda at: hashlib.sha256(items[at].encode()).digest())
    return [items[at] for at in order], np.argsort(order)


def _last_of_each(keys: np.ndarray) -> np.ndarray:
    """The positions, ascending, of the last occurrence of each key."""
    return np.sort(len(keys) - 1 - np.unique(keys[::-1], return_index=True)[1])


def histories(ratings: Ratings) -> Iterator[np.ndarray]:
    """For each user, in their order, the positions of the ratings, oldest first."""
    bounds = np.searchsorted(ratings.user, np.arange(len(ratings.users) + 1))
    return (np.arange(first, last) for first, last in pairwise(bounds))
