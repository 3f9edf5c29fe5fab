"""A snapshot as the recommender reads it: by rows, many at a time, with its people and groups as small numbers."""

from dataclasses import dataclass

import numpy as np

from edge.catalog.items import Item, Items
from edge.catalog.snapshot import Snapshot

CONTENT_VIEWS = ("audio", "video")
MOST_LISTED = 2000


@dataclass(frozen=True)
class Columns:
    """One number an item: int32 (items,). Equal numbers are equal names; -1 where the catalogue has none."""

    artist: np.ndarray
    genre: np.ndarray
    channel: np.ndarray
    album: np.ndarray
    year: np.ndarray
    """0 where unknown."""

    def group(self) -> np.ndarray:
        """Whom an item exposes: its artist, else its channel, else itself. int32 (items,)."""
        own = np.arange(len(self.artist), dtype=np.int32) + (1 << 24)
        channel = np.where(self.channel >= 0, self.channel + (1 << 23), own)
        return np.where(self.artist >= 0, self.artist, channel).astype(np.int32)


class Lookup:
    def __init__(self, snapshot: Snapshot):
        self.snapshot = snapshot
        self.size = len(snapshot.items)
        self.columns = _columns(snapshot.items)
        self.groups = self.columns.group()
        self.popularity = np.array(snapshot.items.column("popularity"), np.float32)
        """How often an item is played elsewhere, 0 to 1: float32 (items,)."""
        self.newness = _newness(self.columns.year)
        """1 for the newest year of the catalogue, fading by e in 10 years, 0 where unknown: float32 (items,)."""
        self.popular = _best(self.popularity)
        self.newest = _best(self.newness)

    def row(self, item: str) -> int | None:
        found = self.snapshot.items.by_id(item)
        return None if found is None else int(found.row)

    def item(self, row: int) -> Item:
        return self.snapshot.items.by_row(int(row))

    def vectors(self, view: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows' vectors in a view and which of them are in it.

        Returns float32 (n, d), zeros where unknown, and bool (n,).
        """
        return self.snapshot.views[view].vectors(rows)

    def content_views(self) -> list[str]:
        return [view for view in CONTENT_VIEWS if view in self.snapshot.views]


def _columns(items: Items) -> Columns:
    names = {name: _numbered(items.column(name)) for name in ("artist", "genre", "channel", "album")}
    return Columns(**names, year=np.array([int(year or 0) for year in items.column("year")], np.int32))


def _numbered(names: list[str | None]) -> np.ndarray:
    """A number for each different name, -1 for none."""
    known: dict[str, int] = {}
    return np.array([known.setdefault(name, len(known)) if name else -1 for name in names], np.int32)


def _newness(year: np.ndarray) -> np.ndarray:
    return np.where(year > 0, np.exp((year - year.max(initial=0)) / 10.0), 0.0).astype(np.float32)


def _best(values: np.ndarray) -> np.ndarray:
    """The rows of the highest values above 0, best first: int32 (at most MOST_LISTED,)."""
    best = np.argsort(-values, kind="stable")[:MOST_LISTED]
    return best[values[best] > 0].astype(np.int32)
