"""What does it cost to learn from an event and to make the next list, in a catalogue of 100,000 items?"""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.catalog import item_of
from benchmarks.report import Row
from benchmarks.search import draw, spread_like_audio
from benchmarks.timing import Timing, interleave
from edge.catalog.snapshot import open_snapshot
from edge.context import Context, unit
from edge.firmware import FirmwareProfile
from edge.recommend.candidates import Request
from edge.recommend.collaborative import MAX_NEIGHBOURS
from edge.recommend.event import EVENTS, Event
from edge.recommend.features import describe
from edge.recommend.history import History
from edge.recommend.lookup import Lookup
from edge.recommend.ranker import Ranker
from edge.recommend.recommender import Recommender
from edge.recommend.records import MAX_ITEMS
from edge.recommend.taste import Taste
from export.catalog.writer import SnapshotWriter, ViewSpec
from export.collaborative.factors import Factors
from export.collaborative.model import CollaborativeModel
from export.collaborative.neighbours import NeighbourTable
from export.collaborative.snapshot import add_to_snapshot
from export.models.ranker import factory, to_device

ITEMS = 100_000
DIMENSION = 64
REPEATS = 200
CANDIDATES = 200
HEARING = Context()


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """Synthetic items, each with an audio vector, factors, 50 neighbours and 50 followers; a user whose memory is full.

    ``feedback to list`` is ``History.add`` (on the disk) and the list of ten with reasons that follows.
    """
    rows = []
    for method in ("ease", "als"):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            write(folder / "catalog", method)
            snapshot = stack.enter_context(open_snapshot(folder / "catalog"))
            history = stack.enter_context(History(folder / "history.db"))
            history.add_all(_events(MAX_ITEMS + 100))
            rows += _rows(method, snapshot, history)
    return rows


def _rows(method: str, snapshot, history: History) -> list[Row]:
    ranker = _trained_looking()
    recommender, lookup = Recommender(snapshot, history, ranker=ranker), Lookup(snapshot)
    context = Context({"audio": snapshot.views["audio"].vector(7)}, {}, 12.0)
    taste = Taste(lookup)
    taste.take(history.numbered("anna"))
    values = describe(lookup, Request(context, taste), np.arange(CANDIDATES, dtype=np.int32)).values
    recommender.recommend(context, user="anna")
    numbers = count()

    def feedback() -> None:
        history.add(_event(next(numbers), prefix="timed"))
        recommender.recommend(context, user="anna", k=10)

    def update() -> None:
        number = next(numbers)
        taste.take([(10**6 + number, _event(number))])
        taste.content("audio")
        taste.users()

    cases: dict[str, Callable[[], object]] = {
        "feedback to list": feedback,
        "feedback alone": lambda: history.add(_event(next(numbers), prefix="timed")),
        "list alone": lambda: recommender.recommend(context, user="anna", k=10),
        "taste, one event": update,
        f"ranker, {CANDIDATES} candidates": lambda: ranker.score(values),
    }
    timings = interleave(cases, repeats=REPEATS)
    found = [Row(f"{method}: {name}", _figures(timing)) for name, timing in timings.items()]
    return [*found, Row(f"{method}: one user's taste", {"state_kib": taste.nbytes / 1024})]


def _figures(timing: Timing) -> dict:
    return timing.figures_ms() | {"p95_ms": float(np.percentile(timing.wall_s, 95)) * 1e3}


def _trained_looking() -> Ranker:
    """Of the size that export/training/ranking.py trains: four networks of 32 units side by side."""
    return to_device([factory(32) for _ in range(4)])


def _events(number: int) -> list[Event]:
    return [_event(at, prefix="kept") for at in range(number)]


def _event(number: int, *, prefix: str = "new") -> Event:
    random = np.random.default_rng([number, len(prefix)])
    kind = EVENTS[int(random.integers(0, len(EVENTS) - 1))]
    item = f"track:synthetic/{int(random.integers(0, ITEMS)):07d}"
    value = 30.0 if kind == "dwell" else None
    return Event(f"{prefix} {number}", "anna", item, kind, value, 1.7e9 + 600 * number)


def write(folder: Path, method: str, items: int = ITEMS) -> None:
    """A synthetic snapshot with a collaborative part."""
    random, audio = np.random.default_rng(items), draw(spread_like_audio(), items)
    ids = []
    with SnapshotWriter(folder, {"audio": ViewSpec("synthetic", DIMENSION)}, name="synthetic") as writer:
        for number in range(items):
            item = item_of(number, items, random)
            ids.append(item.item)
            writer.add(item, {"audio": audio[number]})
        writer.finish()
    add_to_snapshot(folder, model(random, items, method), ids)


def model(random: np.random.Generator, items: int, method: str) -> CollaborativeModel:
    directions = unit(random.standard_normal((items, DIMENSION), np.float32))
    ones = np.ones(items, np.float32)
    spectrum = np.linspace(1, 0.1, DIMENSION, dtype=np.float32) if method == "ease" else directions.T @ directions
    return CollaborativeModel(
        factors=Factors(method, directions, ones, ones, spectrum, regularization=10.0, alpha=10.0),
        plays=np.ones(items, np.int64), neighbours=_table(random, items), followers=_table(random, items),
        popularity=random.random(items, np.float32), liked=random.random(items, np.float32),
        exposure=random.random(items, np.float32))  # fmt: skip


def _table(random: np.random.Generator, items: int) -> NeighbourTable:
    shape = (items, MAX_NEIGHBOURS)
    weights = random.integers(1, 128, shape, np.int8)
    return NeighbourTable(random.integers(0, items, shape, np.int32), weights, np.full(items, 0.3, np.float32))
