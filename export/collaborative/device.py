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
from edge.recommend.history import History
from edge.recommend.lookup import Lookup
from edge.recommend.ranker import Ranker
from edge.recommend.recommender import Recommender
from edge.recommend.taste import Taste
from export.collaborative.catalogue import write_catalogue
from export.collaborative.model import CollaborativeModel
from export.collaborative.ratings import Ratings
from export.collaborative.snapshot import add_to_snapshot

SILENCE = Context()


class Device:
    """A snapshot and a history on a disk, as on a real one. A context manager; the folder goes with it."""

    def __init__(self, ratings: Ratings, model: CollaborativeModel):
        self._folder = tempfile.TemporaryDirectory(prefix="roomtone-evaluate-")
        folder = Path(self._folder.name)
        write_catalogue(folder / "catalog", ratings)
        add_to_snapshot(folder / "catalog", model, ratings.items)
        self.snapshot = open_snapshot(folder / "catalog")
        self._history = History(folder / "history.sqlite")
        self._lookup = Lookup(self.snapshot)
        self._row = {name: row for row, name in enumerate(ratings.items)}

    def remember(self, events: list[Event]) -> None:
        self._history.add_all(events)

    def recommender(self, ranker: Ranker | None, **options) -> Recommender:
        return Recommender(self.snapshot, self._history, ranker=ranker, repeats=False, **options)

    def ranked(self, recommender: Recommender, user: str, k: int) -> tuple[np.ndarray, float]:
        """The rows that are recommended, int64 (<= k,), best first, and how many seconds it took."""
        start = time.perf_counter()
        found = recommender.recommend(SILENCE, user=user, k=k)
        seconds = time.perf_counter() - start
        return np.array([self._row[one.item] for one in found], np.int64), seconds

    def candidates(self, events: list[Event], limit: int) -> Features:
        """The candidates that the device would rank after these events, with their features."""
        taste = Taste(self._lookup)
        taste.take(enumerate(events, start=1))
        request = Request(SILENCE, taste)
        mask = allowed(self._lookup, request, repeats=False)
        return describe(self._lookup, request, gather(self._lookup, request, mask, limit=limit))

    def close(self) -> None:
        self._history.close()
        self.snapshot.close()
        self._folder.cleanup()

    def __enter__(self) -> "Device":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
