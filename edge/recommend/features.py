"""What the ranker knows about a candidate: a few numbers, each of which can be said in words.

Similarities are cosines. Collaborative and neighbour scores are standardised within the list, since only their order
and spacing mean something.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge.context import unit
from edge.recommend.candidates import Request
from edge.recommend.feature_names import NAMES
from edge.recommend.lookup import Lookup

CONTEXT = {"audio": "heard", "video": "seen"}
ERA_YEARS = 10.0
PLACED = {"collaborative": "collaborative_long", "neighbours": "neighbours_long", "follows": "follows"}
Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Features:
    """``rows``: int32 (n,); ``values``: float32 (n, len(NAMES)), 0 where nothing is known."""

    rows: np.ndarray
    values: np.ndarray

    def column(self, name: str) -> np.ndarray:
        return self.values[:, NAMES.index(name)]


def describe(lookup: Lookup, request: Request, rows: np.ndarray) -> Features:
    """The features of the candidates in ``rows``, int32 (n,)."""
    values = np.zeros((len(rows), len(NAMES)), np.float32)
    parts: tuple[Callable[[Lookup, Request, np.ndarray], Columns], ...] = (_content, _people, _items, _crowd)
    for part in parts:
        for name, column in part(lookup, request, rows).items():
            values[:, NAMES.index(name)] = column
    return Features(rows=rows, values=values)


def _content(lookup: Lookup, request: Request, rows: np.ndarray) -> Columns:
    """Cosines with what is heard and seen now and with the tastes in each view; the place among what words find."""
    columns = {}
    for view in lookup.content_views():
        vectors = lookup.vectors(view, rows)
        taste = request.taste.content(view)
        queries = {CONTEXT[view]: request.context.vectors.get(view)}
        queries |= {f"{view}_short": taste.short, f"{view}_long": taste.long}
        for name, vector in queries.items():
            if vector is not None:
                columns[name] = vectors @ vector
    if request.words:
        found = {row: place for place, (row, _) in enumerate(lookup.snapshot.items.search(request.words, len(rows)))}
        columns["words"] = np.array([1 / np.log2(found[row] + 2) if row in found else 0.0 for row in rows.tolist()])
    return columns


def _people(lookup: Lookup, request: Request, rows: np.ndarray) -> Columns:
    """What the user thinks of the candidate's artist and genres, -1 to 1, and whether the artist is playing."""
    table, facets, taste = request.taste.records.table, lookup.facets, request.taste
    artist, ours = facets.artist[rows], facets.artist[table["row"]]
    genres, touched = lookup.genre_vectors(rows), lookup.genre_vectors(table["row"])
    columns = {
        "artist": np.tanh(_sums(ours, taste.long_weights(), artist)),
        "artist_skips": np.log1p(_sums(ours, table["skips"], artist)),
        "genre_long": genres @ unit(taste.long_weights() @ touched),
        "genre_short": genres @ unit(taste.short_weights() @ touched),
    }
    if request.playing is not None and facets.artist[request.playing] >= 0:
        columns["playing_artist"] = artist == facets.artist[request.playing]
    return columns


def _items(lookup: Lookup, request: Request, rows: np.ndarray) -> Columns:
    """The user's strength for the item, its popularity and newness, 0 to 1, how often it was shown of late, and how
    many decades it lies from the years the user likes."""
    table, shown = request.taste.records.table, request.taste.records.impressions()
    own = _sums(table["row"], table["strength"], rows)
    return {
        "own": own,
        "popularity": lookup.popularity[rows],
        "newness": lookup.newness[rows],
        "shown_lately": np.log1p(_sums(shown, np.ones(len(shown)), rows)) * (own <= 0),
        "era": _era(lookup, request, rows),
        "history": np.full(len(rows), np.log1p(len(table)) / 5.0),
    }


def _era(lookup: Lookup, request: Request, rows: np.ndarray) -> np.ndarray:
    years, table = lookup.facets.year, request.taste.records.table
    weights = np.maximum(request.taste.long_weights(), 0.0) * (years[table["row"]] > 0)
    if weights.sum() <= 0:
        return np.zeros(len(rows))
    distance = np.abs(years[rows] - weights @ years[table["row"]] / weights.sum())
    return np.where(years[rows] > 0, np.minimum(distance / ERA_YEARS, 5.0), 0.0)


def _crowd(lookup: Lookup, request: Request, rows: np.ndarray) -> Columns:
    """Scores from the collaborative factors, neighbours and followers and the places that they give; how well liked
    the item is by those who played it."""
    collaborative, crowd = lookup.collaborative, request.crowd
    if collaborative is None or crowd is None:
        return {}
    columns = {}
    for memory, user in crowd.users.items():
        if user is not None:
            columns[f"collaborative_{memory}"] = _standard(collaborative.scores(user, rows))
        columns[f"neighbours_{memory}"] = _standard(crowd.neighbours[memory][rows])
    columns["follows"] = _standard(crowd.followers[rows])
    for kind, best in PLACED.items():
        if best in columns:
            columns[f"{kind}_place"] = _place(columns[best])
    columns["well_liked"] = collaborative.items["liked"][rows]
    return columns


def _sums(codes: np.ndarray, weights: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """For each wanted number, the sum of the weights (n,) whose codes (n,) equal it; a negative one has none."""
    if not len(codes):
        return np.zeros(len(wanted))
    names, index = np.unique(codes, return_inverse=True)
    totals = np.bincount(index, weights, len(names))
    at = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
    return np.where((names[at] == wanted) & (wanted >= 0), totals[at], 0.0)


def _standard(scores: np.ndarray) -> np.ndarray:
    return (scores - scores.mean()) / max(float(scores.std()), 1e-9)


def _place(scores: np.ndarray) -> np.ndarray:
    """1 for the best, 0 for the last, falling with the logarithm of the place.

    Equal scores share the mean of their places: the order of the catalogue must say nothing.
    """
    _, index, counts = np.unique(-scores, return_inverse=True, return_counts=True)
    places = (np.cumsum(counts) - (counts + 1) / 2)[index]
    return 1 - np.log1p(places) / max(float(np.log1p(len(scores) - 1)), 1e-9)
