"""The device's own recommender over a catalogue made of ratings: what the evaluation runs and the ranker learns on."""

import tempfile
import time
from pathlib import Path

import numpy as np

from edge.catalog.snapshot import open_snapshot
from edge.context import Context
from edge.recommend.candidates import Request, allowed, gather
from edge.recommend.event import Event
from edge.recommend.features import Features, describe
from edge.recommend.filters import Filters
from edge.recommend.history import History
from edge.recommend.lookup import Lookup
from edge.recommend.ranker import Ranker
from edge.recommend.recommender import Recommender
from edge.recommend.taste import Taste
from export.collaborative.catalogue import write_catalogue
from export.collaborative.lists import RankingList
from export.collaborative.model import CollaborativeModel
from export.collaborative.ratings import Ratings
from export.collaborative.snapshot import add_to_snapshot

SILENCE = Context()
NO_REPEATS = Filters(repeats=False)


class Device:
    """A snapshot and a history on a disk, as on a real one. A context manager; the folder goes with it."""

    def __init__(self, ratings: Ratings, model: CollaborativeModel, *, catalog: Path | None = None):
        """``catalog``: a snapshot to add the model to; by default one is made of the rated items alone."""
        self._folder = tempfile.TemporaryDirectory(prefix="roomtone-evaluate-")
        folder = Path(self._folder.name)
        if catalog is None:
            catalog = folder / "rated"
            write_catalogue(catalog, ratings)
        add_to_snapshot(catalog, model, ratings.items, out=folder / "catalog")
        self.snapshot = open_snapshot(folder / "catalog")
        self._history = History(folder / "history.sqlite")
        self.lookup = Lookup(self.snapshot)
        self._number = self._numbers(ratings.items)

    def _numbers(self, items: list[str]) -> np.ndarray:
        """Per row of the snapshot the number of the item among the ratings, -1 for none: int64 (rows,)."""
        known = {name: number for number, name in enumerate(items)}
        return np.array([known.get(item.item, -1) for item in self.snapshot.items], np.int64)

    def numbers(self, rows: np.ndarray) -> np.ndarray:
        """The numbers among the ratings of the items in ``rows``, -1 for those that nobody rated: int64 (n,)."""
        return self._number[rows]

    def remember(self, events: list[Event]) -> None:
        self._history.add_all(events)

    def recommender(self, ranker: Ranker | None, *, filters: Filters = NO_REPEATS, **options) -> Recommender:
        return Recommender(self.snapshot, self._history, ranker=ranker, filters=filters, **options)

    def ranked(self, recommender: Recommender, user: str, k: int) -> tuple[np.ndarray, float]:
        """The numbers of the items that are recommended, int64 (<= k,), best first, and how many seconds it took."""
        start = time.perf_counter()
        found = recommender.recommend(SILENCE, user=user, k=k)
        seconds = time.perf_counter() - start
        rows = [row for row in (self.lookup.row(one.item) for one in found) if row is not None]
        return self.numbers(np.array(rows, np.int64)), seconds

    def taste(self, events: list[Event]) -> Taste:
        taste = Taste(self.lookup)
        taste.take(enumerate(events, start=1))
        return taste

    def candidates(self, events: list[Event], limit: int) -> Features:
        """The candidates that the device would rank after these events, with their features."""
        request = Request(SILENCE, self.taste(events))
        mask = allowed(self.lookup, request, NO_REPEATS)
        return describe(self.lookup, request, gather(self.lookup, request, mask, limit=limit))

    def ranking_list(self, events: list[Event], wanted: np.ndarray, limit: int) -> RankingList:
        """The candidates after these events, and which of them are among the items ``wanted``, by number."""
        features = self.candidates(events, limit)
        return RankingList(features.values, np.isin(self.numbers(features.rows), wanted))

    def close(self) -> None:
        self._history.close()
        self.snapshot.close()
        self._folder.cleanup()

    def __enter__(self) -> "Device":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
