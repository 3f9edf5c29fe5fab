"""What a user likes, learned on the device from the history: kept as records, folded into vectors when asked.

Per view a short- and a long-term vector of the content, and the user's place among the collaborative factors. All
are functions of the records alone (influence.py says how each counts), refusals included with a minus sign.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from edge.context import unit
from edge.recommend.event import Event
from edge.recommend.influence import bounded, long_term, short_term
from edge.recommend.lookup import Lookup
from edge.recommend.records import Records

CONTENT_ITEMS = 256
"""How many of the latest items make a content vector: older ones have faded below a tenth."""
LEAST_LENGTH = 1e-3
"""A shorter sum says nothing: there is no taste in that view (yet)."""
LEAST_SHARE = 1e-3
"""A record that counts for less than this share of the strongest one is left out of a sum: of a thousand, the
short-term memory needs the last 35."""


@dataclass(frozen=True)
class ContentTaste:
    """One view's memory: unit vectors (d,), float32; None while nothing is known."""

    short: np.ndarray | None
    long: np.ndarray | None


class Taste:
    """One user's, for one snapshot. Not shared between threads."""

    def __init__(self, lookup: Lookup):
        self._lookup = lookup
        self.records = Records()
        self.read_until = 0
        """The number of the last event of the history that was taken in."""
        self._strengths: np.ndarray | None = None
        self._long: np.ndarray | None = None
        self._short: np.ndarray | None = None
        self._folded: dict[str, ContentTaste] = {}
        self._users: dict[str, np.ndarray | None] | None = None

    def take(self, numbered: Iterable[tuple[int, Event]]) -> None:
        """Take events in, oldest first. Those of items that the snapshot does not have are passed over."""
        for number, event in numbered:
            self.read_until = number
            row = self._lookup.row(event.item)
            if row is not None:
                self.records.take(row, event)
                self._forget_what_follows()

    def long_weights(self) -> np.ndarray:
        """How much each record counts in the long run: float32 (records,)."""
        if self._long is None:
            self._long = long_term(self._bounded())
        return self._long

    def short_weights(self) -> np.ndarray:
        """How much each record counts just now: float32 (records,)."""
        if self._short is None:
            self._short = short_term(self._bounded())
        return self._short

    def _bounded(self) -> np.ndarray:
        if self._strengths is None:
            self._strengths = bounded(self.records.table)
        return self._strengths

    def content(self, view: str) -> ContentTaste:
        """The taste in one of the snapshot's content views."""
        if view not in self._folded:
            table = self.records.table[-CONTENT_ITEMS:]
            vectors = self._lookup.vectors(view, table["row"])
            self._folded[view] = ContentTaste(
                short=_folded(vectors, self.short_weights()[-CONTENT_ITEMS:]),
                long=_folded(vectors, self.long_weights()[-CONTENT_ITEMS:]),
            )
        return self._folded[view]

    def _forget_what_follows(self) -> None:
        """Everything that is computed from the records, once they have changed."""
        self._strengths = self._long = self._short = self._users = None
        self._folded = {}

    def users(self) -> dict[str, np.ndarray | None]:
        """The user's place among the collaborative factors by memory (``long``, ``short``): float32 (d,), None while
        nothing is known; empty without a collaborative part."""
        if self._users is None:
            collaborative = self._lookup.collaborative
            self._users = {} if collaborative is None else {
                name: collaborative.user(*counted) for name, counted in self._memories().items()}
        return self._users

    def crowd(self) -> "Crowd | None":
        """What those who play the same play; None without a collaborative part or anything to go by.

        Made anew each time: a score for every item is too much to keep for every user.
        """
        collaborative = self._lookup.collaborative
        if collaborative is None or not len(self.records.table):
            return None
        memories = self._memories()
        return Crowd(
            users=self.users(),
            neighbours={name: collaborative.neighbours.scores(*counted) for name, counted in memories.items()},
            followers=collaborative.followers.scores(*memories["short"]),
        )

    def _memories(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """For each memory the rows and weights of the records that count in it."""
        rows, memories = self.records.table["row"], {"long": self.long_weights(), "short": self.short_weights()}
        kept = {name: np.abs(weights) > LEAST_SHARE * np.abs(weights).max(initial=0.0)
                for name, weights in memories.items()}
        return {name: (rows[kept[name]], weights[kept[name]]) for name, weights in memories.items()}

    @property
    def nbytes(self) -> int:
        """What is kept for this user in memory: the records and what was computed from them."""
        vectors = [vector for taste in self._folded.values() for vector in (taste.short, taste.long)]
        computed = [self._strengths, self._long, self._short, *(self._users or {}).values(), *vectors]
        return self.records.nbytes + sum(array.nbytes for array in computed if array is not None)


@dataclass(frozen=True)
class Crowd:
    """The user among all users, by memory (``long``, ``short``)."""

    users: dict[str, np.ndarray | None]
    """Collaborative factors, float32 (d,)."""
    neighbours: dict[str, np.ndarray]
    """Item-neighbour scores, float32 (items,)."""
    followers: np.ndarray
    """How much an item follows from what was played last, float32 (items,)."""


def _folded(vectors: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
    total = weights @ vectors
    return unit(total) if np.linalg.norm(total) > LEAST_LENGTH else None
