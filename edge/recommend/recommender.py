"""The recommender: what to play next for this user at this moment, with reasons."""

from dataclasses import dataclass

import numpy as np

from edge.catalog.items import Item
from edge.catalog.snapshot import Snapshot
from edge.context import Context
from edge.errors import UsageError
from edge.recommend import explore, works
from edge.recommend import ranker as rankers
from edge.recommend.candidates import EVERYTHING, Request, allowed, gather
from edge.recommend.explore import Draw, seed_of
from edge.recommend.features import Features, describe
from edge.recommend.filters import Filters
from edge.recommend.gini import rerank
from edge.recommend.history import History
from edge.recommend.lookup import Lookup
from edge.recommend.ranker import Ranker
from edge.recommend.reasons import MAX_REASONS, TO_EXPLORE, Reasons
from edge.recommend.recognition import Recogniser
from edge.recommend.records import MAX_IMPRESSIONS
from edge.recommend.round import Round
from edge.recommend.taste import Taste

MAX_CANDIDATES = 10_000
GINI_BOUND = 0.3
"""The most unequal that a list may expose its artists: of 10 places, at most 3 or so go to one."""
EXPOSURE_PENALTY = 0.5
"""How far the score of the item that everybody is shown is lowered, others by the logarithm of their exposure."""
MOST_TASTES = 32
"""So many users' tastes are kept in memory, 1.2 MB at most; another one's is built from the history when asked for."""
MOST_DRAWS = 4
"""Of so many different lists of a user it is remembered what their last places were drawn from."""
READ_EVENTS = 4096
"""So many deeds of a long history are read to rebuild a taste, more items than it remembers, and the impressions that
it counts."""


@dataclass(frozen=True)
class Recommendation:
    rank: int
    """1 is the best."""
    item: str
    title: str
    score: float
    """0 to 1; comparable within one list."""
    reasons: tuple[str, ...]
    """One to three, the strongest first."""
    artist: str | None
    kind: str
    propensity: float | None = None
    """With which probability the item was drawn for this place, where it was drawn to be tried; else None."""


@dataclass(frozen=True)
class Recognition:
    """The recording that is heard, or the shot that is seen."""

    item: str
    title: str
    artist: str | None
    score: float
    kind: str
    """``track`` or ``shot``."""


class Recommender:
    """Recommends from one snapshot. Used by one thread at a time; the history may be written meanwhile."""

    def __init__(
        self,
        snapshot: Snapshot,
        history: History,
        *,
        candidates: int = 200,
        ranker: Ranker | None = None,
        gini_bound: float = GINI_BOUND,
        exposure_penalty: float = EXPOSURE_PENALTY,
        exploration: float = explore.SHARE,
        filters: Filters = EVERYTHING,
        seed: int = 0,
    ):
        """``ranker``: by default the snapshot's own, or what is assumed without one. ``exploration``: the share of
        places for items that nobody has played, 0 to 1, drawn from ``seed``, the user and the user's last event.
        ``filters``: what stays out where a request says nothing else. Raises UsageError, SnapshotError.
        """
        if not 1 <= candidates <= MAX_CANDIDATES:
            raise UsageError(f"candidates = {candidates} must lie in 1 to {MAX_CANDIDATES}")
        self._history, self._limit = history, candidates
        self._ranker = ranker or rankers.of_snapshot(snapshot)
        self._gini_bound, self._exposure_penalty = gini_bound, exposure_penalty
        self._exploration, self._filters, self._seed = exploration, filters, seed
        self._lookup, self._recogniser = Lookup(snapshot), Recogniser(snapshot)
        self._tastes: dict[str, Taste] = {}  # the one that was asked for last is the last
        self._drawn: dict[str, list[_Drawn]] = {}  # likewise, of each user's last lists
        self._forgettings = history.forgettings()

    def recommend(
        self, context: Context, *, user: str, k: int = 10, words: str | None = None, filters: Filters | None = None
    ) -> list[Recommendation]:
        """The k best items to play next, best first; fewer when the catalogue has no more to offer.

        Raises UsageError for a k below 1, StateError when the history cannot be read.
        """
        if k < 1:
            raise UsageError(f"k = {k} must be at least 1")
        match = self._recogniser.match(context)
        request = Request(context, self._taste(user), words, match.row if match else None)
        mask = allowed(self._lookup, request, filters or self._filters)
        rows = gather(self._lookup, request, mask, limit=self._limit)
        if not len(rows):
            return []
        features = describe(self._lookup, request, rows)
        scores = self._ranker.score(features.values) - self._exposure_penalty * self._lookup.exposure[rows]
        chosen, draw = self._ordered(rows, scores, k, seed_of(self._seed, user, request.taste.read_until))
        self._remember(user, features, draw, place=len(chosen))
        items = self._lookup.items(rows[chosen])
        reasons = Reasons(self._lookup, request, self._ranker, features, items).of(chosen)
        propensity = float(draw.propensities[draw.shown]) if draw is not None and draw.explored else None
        if propensity is not None:
            reasons[-1] = (TO_EXPLORE, *reasons[-1])[:MAX_REASONS]
        return [
            _recommendation(place, item, float(scores[index]), why, propensity if place == len(chosen) else None)
            for place, (index, item, why) in enumerate(zip(chosen, items, reasons, strict=True), start=1)
        ]  # fmt: skip

    def drawn_from(self, user: str, item: str) -> Round | None:
        """What the item was drawn from, if it has the place of one of the user's last lists that is given by chance.

        Told once: a second impression of it is of no other draw.
        """
        self._heed_forgetting()
        row, lists = self._lookup.row(item), self._drawn.get(user, [])
        drawn = next((one for one in reversed(lists) if one.row == row), None)
        if drawn is None:
            return None
        self._drawn[user] = [one for one in lists if one.row != row]
        items = tuple(one.item for one in self._lookup.items(drawn.rows))
        exposures = self._exposure_penalty * self._lookup.exposure[drawn.rows]
        return Round.of(items, drawn.place, drawn.propensities, exposures, drawn.values)

    def _remember(self, user: str, features: Features, draw: Draw | None, *, place: int) -> None:
        """Keep what the list's last place was drawn from until an impression of it comes, 1 KB each.

        Of the last few lists: an app may show one when the next is made already. If its impressions were lost then,
        it would be those of what depends most on the moment.
        """
        if draw is None:
            return
        rows, values = features.rows[draw.candidates], features.values[draw.candidates]
        made = _Drawn(rows, draw.shown, place, draw.propensities, values)
        before = [one for one in self._drawn.pop(user, []) if not one.repeats(made)]
        if len(self._drawn) >= MOST_TASTES:
            del self._drawn[next(iter(self._drawn))]
        self._drawn[user] = [*before, made][-MOST_DRAWS:]

    def _ordered(self, rows: np.ndarray, scores: np.ndarray, k: int, seed: int) -> tuple[np.ndarray, Draw | None]:
        """The list as indices into the candidates ``rows``, and the draw for its last place if there was one."""
        chosen = works.once_each(
            lambda free: rerank(scores[free], self._lookup.groups[rows[free]], k, bound=self._gini_bound),
            lambda chosen: self._lookup.items(rows[chosen]), len(rows))  # fmt: skip
        return explore.explore(chosen, scores, self._lookup.unplayed[rows], share=self._exploration, seed=seed)

    def shorten(self, candidates: int) -> None:
        """From now on, let this many candidates reach the ranker."""
        self._limit = candidates

    def unknown(self, filters: Filters) -> list[str]:
        """What filters name that is not in the catalogue: artists by their case-folded names, items by their ids."""
        items = sorted(item for item in filters.unavailable if self._lookup.row(item) is None)
        return self._lookup.unknown_artists(filters.artists) + items

    def now_playing(self, context: Context) -> Recognition | None:
        """The recording that is heard, else the shot that is seen; None when neither is sure."""
        match = self._recogniser.match(context)
        if match is None:
            return None
        item = self._lookup.item(match.row)
        return Recognition(item.item, item.title, item.artist, round(match.score, 4), item.kind)

    def _heed_forgetting(self) -> None:
        """Drop what was learned before somebody was forgotten."""
        forgettings = self._history.forgettings()
        if forgettings != self._forgettings:
            self._tastes.clear()
            self._drawn.clear()
            self._forgettings = forgettings

    def _taste(self, user: str) -> Taste:
        """The user's taste, with every event of the history taken in."""
        self._heed_forgetting()
        taste = self._tastes.pop(user, None) or Taste(self._lookup)
        if len(self._tastes) >= MOST_TASTES:
            del self._tastes[next(iter(self._tastes))]
        self._tastes[user] = taste
        taste.take(self._history.lately(user, after=taste.read_until, deeds=READ_EVENTS, impressions=MAX_IMPRESSIONS))
        return taste


@dataclass(frozen=True)
class _Drawn:
    """A draw (explore.Draw) with the rows of its candidates, int32 (m,), and their features, float32 (m, features)."""

    rows: np.ndarray
    shown: int
    place: int
    propensities: np.ndarray
    values: np.ndarray

    @property
    def row(self) -> int:
        return int(self.rows[self.shown])

    def repeats(self, other: "_Drawn") -> bool:
        """Whether it is the same draw in a list made again."""
        return (self.place, self.shown) == (other.place, other.shown) and np.array_equal(self.rows, other.rows)


def _recommendation(
    rank: int, item: Item, score: float, reasons: tuple[str, ...], propensity: float | None
) -> Recommendation:
    return Recommendation(
        rank=rank,
        item=item.item,
        title=item.title,
        score=round(float(1 / (1 + np.exp(-score))), 4),
        reasons=reasons,
        artist=item.artist,
        kind=item.kind,
        propensity=propensity,
    )
