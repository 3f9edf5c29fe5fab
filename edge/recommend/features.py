"""What the ranker knows about a candidate: a few numbers, each of which can be said in words."""

from dataclasses import dataclass

import numpy as np

from edge.recommend.candidates import Request
from edge.recommend.feature_names import NAMES
from edge.recommend.lookup import Lookup

CONTEXT = {"audio": "heard", "video": "seen"}


@dataclass(frozen=True)
class Features:
    """``values``: np.ndarray [shape=(candidates, len(NAMES)), dtype=float32]; 0 where nothing is known."""

    rows: np.ndarray
    values: np.ndarray

    def column(self, name: str) -> np.ndarray:
        return self.values[:, NAMES.index(name)]


def describe(lookup: Lookup, request: Request, rows: np.ndarray) -> Features:
    """The features of the candidates in ``rows``, int32 (n,)."""
    columns = {**_content(lookup, request, rows), **_people(lookup, request, rows), **_items(lookup, request, rows)}
    values = np.zeros((len(rows), len(NAMES)), np.float32)
    for name, column in columns.items():
        values[:, NAMES.index(name)] = column
    return Features(rows=rows, values=values)


def _content(lookup: Lookup, request: Request, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Cosines with what is heard and seen now and with the tastes in each view."""
    columns = {}
    for view in lookup.content_views():
        vectors, _ = lookup.vectors(view, rows)
        taste = request.taste.content(view)
        queries = {CONTEXT[view]: request.context.vectors.get(view)}
        queries |= {f"{view}_short": taste.short, f"{view}_long": taste.long}
        for name, vector in queries.items():
            if vector is not None:
                columns[name] = vectors @ vector
    if request.words:
        found = [row for row, _ in lookup.snapshot.items.search(request.words, len(rows))]
        place = {row: 1 / np.log2(rank + 2) for rank, row in enumerate(found)}
        columns["words"] = np.array([place.get(int(row), 0.0) for row in rows])
    return columns


def _people(lookup: Lookup, request: Request, rows: np.ndarray) -> dict[str, np.ndarray]:
    """What the user thinks of the candidate's artist and genre, within -1 and 1, and whether the artist plays now."""
    table, weights = request.taste.records.table, request.taste.long_weights()
    known = lookup.columns
    columns = {
        "artist": np.tanh(_sums(known.artist, table["row"], weights, rows)),
        "artist_skips": np.log1p(_sums(known.artist, table["row"], table["skips"], rows)),
        "genre": _sums(known.genre, table["row"], weights, rows) / max(1.0, float(np.abs(weights).sum())),
    }
    if request.playing is not None and known.artist[request.playing] >= 0:
        columns["playing_artist"] = known.artist[rows] == known.artist[request.playing]
    return columns


def _items(lookup: Lookup, request: Request, rows: np.ndarray) -> dict[str, np.ndarray]:
    """The user's strength for the item, its popularity and newness in 0 to 1, how often it was shown of late."""
    table, shown = request.taste.records.table, request.taste.records.impressions()
    order = np.argsort(table["row"])
    own = np.zeros(len(rows), np.float32)
    if len(table):
        at = order[np.clip(np.searchsorted(table["row"], rows, sorter=order), 0, len(table) - 1)]
        own = np.where(table["row"][at] == rows, table["strength"][at], 0.0)
    return {
        "own": own,
        "popularity": lookup.popularity[rows],
        "newness": lookup.newness[rows],
        "shown_lately": np.log1p((shown[None, :] == rows[:, None]).sum(1)) * (own <= 0),
    }


def _sums(codes: np.ndarray, touched: np.ndarray, weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Per candidate, the sum of the weights of the touched items that share its code (-1 shares with none)."""
    totals = np.bincount(codes[touched] + 1, weights, int(codes.max(initial=-1)) + 2)
    totals[0] = 0.0
    return totals[codes[rows] + 1]
