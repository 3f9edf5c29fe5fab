"""The SQLite file of a snapshot, and the columns beside it; the same items give the same bytes."""

import sqlite3
from array import array
from operator import attrgetter
from pathlib import Path

import numpy as np

from edge.catalog.facets import COUNTED, MEASURED, NAMED, NAMES_FILE, NUMBERS_FILE
from edge.catalog.items import COLUMNS, SCHEMA, Item
from edge.catalog.text import spaced
from edge.errors import ExportError

ITEM_SQL = f"INSERT INTO items VALUES ({', '.join('?' * len(COLUMNS))})"
TEXT_SQL = "INSERT INTO texts (rowid, title, artist, album, genre) VALUES (?, ?, ?, ?, ?)"
_values = attrgetter(*COLUMNS)  # dataclasses.astuple copies each value deeply, a third of a large build


class ItemsFile:
    def __init__(self, path: Path):
        self._database = sqlite3.connect(path, isolation_level=None)
        for setting in ("journal_mode = OFF", "synchronous = OFF"):  # a killed build leaves nothing to be repaired
            self._database.execute(f"PRAGMA {setting}")
        self._database.executescript(SCHEMA)
        self._database.execute("BEGIN")

    def add(self, item: Item) -> None:
        """Raises ExportError when its id is there already, or a field is of another type."""
        texts = (spaced(text or "") for text in (item.title, item.artist, item.album, item.genre))
        try:
            self._database.execute(ITEM_SQL, _values(item))
            self._database.execute(TEXT_SQL, (item.row, *texts))
        except sqlite3.IntegrityError as error:
            raise ExportError(f"item {item.item!r:.80} cannot be written: {error}; ids must differ and every field "
                              "must be of its type") from error
        except (sqlite3.Error, UnicodeError, OverflowError) as error:
            raise ExportError(f"item {item.item!r:.80} cannot be written: {error}") from error

    def close(self) -> None:
        self._database.execute("INSERT INTO texts (texts) VALUES ('optimize')")
        self._database.execute("COMMIT")
        self._database.execute("VACUUM")
        self._database.close()


class FacetColumns:
    """edge/catalog/facets.py, gathered item by item: 40 bytes of memory each."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {name: {} for name in NAMED}
        self._names = {name: array("i") for name in NAMED + COUNTED}
        self._measures = {name: array("d") for name in MEASURED}

    def add(self, item: Item) -> None:
        for name, numbers in self._numbers.items():
            text = getattr(item, name)
            self._names[name].append(numbers.setdefault(text, len(numbers)) if text else -1)
        for name in COUNTED:
            self._names[name].append(int(getattr(item, name) or 0))
        for name in MEASURED:
            self._measures[name].append(float(getattr(item, name) or 0.0))

    def write(self, folder: Path) -> None:
        np.save(folder / NAMES_FILE, np.stack([np.frombuffer(column, np.int32) for column in self._names.values()]))
        np.save(folder / NUMBERS_FILE, np.stack([np.frombuffer(c, np.float64) for c in self._measures.values()]))
