"""Why an item is in the list, in words: the features that lifted it most above the other candidates."""

from collections.abc import Iterable

import numpy as np

from edge.catalog.items import Item
from edge.recommend.candidates import Request
from edge.recommend.event import EVENTS
from edge.recommend.feature_names import NAMES
from edge.recommend.features import Features
from edge.recommend.lookup import Lookup
from edge.recommend.ranker import Ranker

MAX_REASONS = 3
LEAST_LIFT = 0.02
"""A feature that lifts the score by less is no reason."""
DID = {
    "play": "played",
    "finish": "finished",
    "skip": "skipped",
    "like": "liked",
    "share": "shared",
    "comment": "commented on",
    "dwell": "stayed with",
}
PLAIN = {
    "heard": "sounds like what is playing",
    "seen": "looks like what is on the screen",
    "own": "you have enjoyed it before",
    "popularity": "played a lot",
    "well_liked": "liked by most who play it",
    "newness": "new here",
    "words": "matches what you asked for",
    "collaborative_place": "played by people with your taste",
}
VERBS = {"audio": "sounds like", "video": "looks like"}
TOGETHER = {"neighbours": "liked by those who like", "follows": "often played after"}
FALLBACK = "something different"
TO_EXPLORE = "new, for you to try"


class Reasons:
    """Tells the reasons of one list."""

    def __init__(self, lookup: Lookup, request: Request, ranker: Ranker, features: Features, items: Iterable[Item]):
        """``items``: those that are known already, as the list's own."""
        self._lookup, self._request, self._ranker, self._features = lookup, request, ranker, features
        self._alike: dict[str, dict[int, np.ndarray]] = {}
        self._items = {item.row: item for item in items}
        self._pulls: dict[str, dict[int, np.ndarray]] = {}
        self._neighbours: dict[tuple[int, str], str | None] = {}
        self._chosen = np.zeros(0, np.int32)

    def of(self, chosen: np.ndarray) -> list[tuple[str, ...]]:
        """One to three reasons for each of the candidates ``chosen`` (indices into the features), strongest first."""
        values, self._chosen = self._features.values, self._features.rows[chosen]
        lifts = self._ranker.contributions(values[chosen], values)
        return [self._told(int(index), lift) for index, lift in zip(chosen, lifts, strict=True)]

    def _told(self, index: int, lift: np.ndarray) -> tuple[str, ...]:
        said: list[str] = []
        for feature in np.argsort(-lift):
            if lift[feature] < LEAST_LIFT or len(said) == MAX_REASONS:
                break
            words = self._words(NAMES[feature], index)
            if words is not None and words not in said:
                said.append(words)
        return tuple(said) or (FALLBACK,)

    def _words(self, name: str, index: int) -> str | None:
        row = int(self._features.rows[index])
        if name in PLAIN and name != "collaborative_place":
            return PLAIN[name] if self._features.values[index, NAMES.index(name)] > 0 else None
        if name == "artist":
            return f"you liked {self._item(row).artist}" if self._features.column("artist")[index] > 0 else None
        if name == "playing_artist":
            return f"by {self._item(row).artist}, who is playing" if self._features.column(name)[index] > 0 else None
        if name.startswith("genre"):
            return f"you often play {self._item(row).genre}" if self._features.column(name)[index] > 0 else None
        if name.startswith("collaborative"):
            return PLAIN["collaborative_place"] if self._features.column(name)[index] > 0 else None
        if name.startswith(("neighbours", "follows")):
            return self._once_told(row, "follows" if name.startswith("follows") else "neighbours")
        view, _, memory = name.partition("_")
        return self._likeness(view, memory, row) if memory in ("short", "long") else None

    def _item(self, row: int) -> Item:
        if row not in self._items:
            self._items[int(row)] = self._lookup.item(row)
        return self._items[int(row)]

    def _once_told(self, row: int, kind: str) -> str | None:
        """What ``_neighbour`` says: several features ask."""
        if (row, kind) not in self._neighbours:
            self._neighbours[row, kind] = self._neighbour(row, kind)
        return self._neighbours[row, kind]

    def _neighbour(self, row: int, kind: str) -> str | None:
        """The item of the history that draws this one in most, by who likes both or by what is played after it."""
        pull, table = self._pull(kind)[row], self._request.taste.records.table
        best = int(pull.argmax())
        did = DID.get(EVENTS[table["event"][best]])
        if pull[best] <= 0 or did is None:
            return None
        return f"{TOGETHER[kind]} {self._item(table['row'][best]).title}, which you {did}"

    def _pull(self, kind: str) -> dict[int, np.ndarray]:
        """For each chosen row, how much each record draws it in, float32 (records,)."""
        if kind not in self._pulls:
            taste, collaborative = self._request.taste, self._lookup.collaborative
            assert collaborative is not None  # without it no item has such a feature
            rows = taste.records.table["row"]
            if kind == "follows":
                pulls = collaborative.followers.pull(rows, taste.short_weights(), self._chosen)
            else:
                pulls = collaborative.neighbours.pull(rows, taste.long_weights(), self._chosen)
            self._pulls[kind] = dict(zip(self._chosen.tolist(), pulls, strict=True))
        return self._pulls[kind]

    def _likeness(self, view: str, memory: str, row: int) -> str | None:
        """The item of the history that draws this one into the list most, and what was done with it."""
        taste = self._request.taste
        table = taste.records.table
        weights = taste.short_weights() if memory == "short" else taste.long_weights()
        pull = self._cosines(view)[row] * weights * (table["row"] != row)
        best = int(pull.argmax())
        if pull[best] <= 0:
            return None
        did = DID.get(EVENTS[table["event"][best]])
        title = self._item(table["row"][best]).title
        return f"{VERBS[view]} {title}, which you {did}" if did else None

    def _cosines(self, view: str) -> dict[int, np.ndarray]:
        """For each chosen row, its cosine with each record, float32 (records,)."""
        if view not in self._alike:
            touched = self._lookup.vectors(view, self._request.taste.records.table["row"])
            cosines = self._lookup.vectors(view, self._chosen) @ touched.T
            self._alike[view] = dict(zip(self._chosen.tolist(), cosines, strict=True))
        return self._alike[view]
