"""A snapshot as the recommender reads it: by rows, many at a time, with its people, groups and genres as numbers."""

import numpy as np

from edge.catalog.items import Item
from edge.catalog.snapshot import Snapshot
from edge.recommend.collaborative import open_collaborative

CONTENT_VIEWS = ("audio", "video")
MOST_LISTED = 2000
MOST_GENRES = 64
GENRE_SEPARATORS = "|/;,"
FRESH_DAYS = 30.0
FRESH_YEARS = 10.0
NEW_FROM = 0.5
"""An item of this newness (it fades by e a month, or ten years) is new: the last three weeks, or seven years."""


class Lookup:
    """One per recommender. Used by one thread at a time."""

    def __init__(self, snapshot: Snapshot):
        """Raises SnapshotError when the snapshot's collaborative part is not what it should be."""
        self.snapshot = snapshot
        self.size = len(snapshot.items)
        self.facets = snapshot.facets
        self.collaborative = open_collaborative(snapshot)
        self._artists: dict[str, list[int]] | None = None
        self.groups = _groups(snapshot)
        """Whom an item exposes: its artist, else its channel, else itself. int32 (items,), equal ones are the same."""
        self.films = _films(snapshot)
        """Of a shot the number of its film, of everything else -1: int32 (items,)."""
        self.popularity = _popularity(self)
        """How often an item is played elsewhere, 0 to 1: float32 (items,)."""
        self.exposure = self.collaborative.items["exposure"] if self.collaborative else np.zeros(self.size, np.float32)
        """How often an item is recommended to everybody, 0 to 1: float32 (items,)."""
        self.newness = _newness(snapshot)
        """1 for what came last into the catalogue, fading; 0 where unknown: float32 (items,)."""
        self.genres = _genres(snapshot)
        """Which of at most 64 genres an item has, one bit each: uint64 (items,)."""
        self.unplayed = _unplayed(self)
        """The items that nobody has played elsewhere, or the newest where that is unknown: bool (items,)."""
        self.popular, self.newest = _best(self.popularity), _best(self.newness)
        """Rows, best first: int32."""

    def row(self, item: str) -> int | None:
        found = self.snapshot.items.by_id(item)
        return None if found is None else found.row

    def artist_codes(self, names: frozenset[str]) -> np.ndarray:
        """The numbers in ``facets.artist`` of artists by their case-folded names: int32, unknown ones left out."""
        known = self._codes_of_artists()
        return np.array([code for name in names for code in known.get(name, ())], np.int32)

    def unknown_artists(self, names: frozenset[str]) -> list[str]:
        """Those of case-folded names that no item is by, in alphabetical order."""
        return sorted(names - self._codes_of_artists().keys())

    def _codes_of_artists(self) -> dict[str, list[int]]:
        if self._artists is None:
            codes, rows = np.unique(self.facets.artist, return_index=True)
            items = zip(codes.tolist(), self.snapshot.items.by_rows(rows.tolist()), strict=True)
            self._artists = {}
            for code, item in items:
                if item.artist is not None:
                    self._artists.setdefault(item.artist.casefold(), []).append(code)
        return self._artists

    def item(self, row: int) -> Item:
        return self.snapshot.items.by_row(int(row))

    def items(self, rows: np.ndarray) -> list[Item]:
        """The items of the rows (n,), in their order, in one question."""
        return self.snapshot.items.by_rows(rows.tolist())

    def vectors(self, view: str, rows: np.ndarray) -> np.ndarray:
        """The rows' unit vectors in a view, zeros where it has none: float32 (n, d)."""
        return self.snapshot.views[view].vectors(rows)[0]

    def genre_vectors(self, rows: np.ndarray) -> np.ndarray:
        """The rows' genres as unit vectors, zeros where unknown: float32 (n, 64)."""
        bits = np.unpackbits(self.genres[rows, np.newaxis].view(np.uint8), axis=1).astype(np.float32)
        return bits / np.maximum(np.sqrt(bits.sum(axis=1, keepdims=True)), 1.0)

    def content_views(self) -> list[str]:
        return [view for view in CONTENT_VIEWS if view in self.snapshot.views]


def _groups(snapshot: Snapshot) -> np.ndarray:
    facets, items = snapshot.facets, len(snapshot.items)
    own = np.arange(items, dtype=np.int32) + 2 * items
    channel = np.where(facets.channel >= 0, facets.channel + items, own)
    return np.where(facets.artist >= 0, facets.artist, channel).astype(np.int32)


def _films(snapshot: Snapshot) -> np.ndarray:
    """A shot has a vector of what is seen; its channel is the film."""
    views = snapshot.views
    if "video" not in views:
        return np.full(len(snapshot.items), -1, np.int32)
    return np.where(views["video"].members, snapshot.facets.channel, -1).astype(np.int32)


def _popularity(lookup: Lookup) -> np.ndarray:
    """The ratings' where there are any, else the catalogue's own."""
    if lookup.collaborative is not None:
        return np.array(lookup.collaborative.items["popularity"], np.float32)
    return lookup.facets.popularity.astype(np.float32)


def _unplayed(lookup: Lookup) -> np.ndarray:
    if lookup.collaborative is not None:
        return lookup.collaborative.items["popularity"] == 0
    return lookup.newness > NEW_FROM


def _newness(snapshot: Snapshot) -> np.ndarray:
    """By the time an item was added, else by its year."""
    for values, scale in ((snapshot.facets.added_s, FRESH_DAYS * 86400), (snapshot.facets.year, FRESH_YEARS)):
        latest, known = values.max(initial=0), values > 0
        if known.any() and values[known].min() < latest:
            return np.where(known, np.exp((values - latest) / scale), 0.0).astype(np.float32)
    return np.zeros(len(snapshot.items), np.float32)


def _genres(snapshot: Snapshot) -> np.ndarray:
    codes, first = np.unique(snapshot.facets.genre, return_index=True)
    names = {int(code): snapshot.items.by_row(int(row)).genre for code, row in zip(codes, first, strict=True)}
    split = {code: _split(name) for code, name in names.items()}
    counts: dict[str, int] = {}
    for code, number in zip(*np.unique(snapshot.facets.genre, return_counts=True), strict=True):
        for name in split[int(code)]:
            counts[name] = counts.get(name, 0) + int(number)
    common = sorted(counts, key=lambda name: (-counts[name], name))[:MOST_GENRES]
    place = {name: np.uint64(1) << np.uint64(bit) for bit, name in enumerate(common)}
    bits = [sum((int(place[name]) for name in split[int(code)] if name in place), 0) for code in codes]
    return np.array(bits, np.uint64)[np.searchsorted(codes, snapshot.facets.genre)]


def _split(genre: str | None) -> set[str]:
    """``Rock/Pop; live`` is rock, pop and live."""
    text = (genre or "").lower()
    for separator in GENRE_SEPARATORS[1:]:
        text = text.replace(separator, GENRE_SEPARATORS[0])
    return {name.strip() for name in text.split(GENRE_SEPARATORS[0])} - {""}


def _best(values: np.ndarray) -> np.ndarray:
    """The rows of the highest values above 0, best first: int32 (at most MOST_LISTED,)."""
    best = np.argsort(-values, kind="stable")[:MOST_LISTED]
    return best[values[best] > 0].astype(np.int32)
