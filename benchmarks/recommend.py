"""What does it cost to learn from an event and to make the next list, in a catalogue of 100,000 items?"""

import tempfile
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.household import METHODS, event, implicit_als, ranker, write
from benchmarks.report import Figure, Row
from benchmarks.timing import Timing, Work, interleave
from edge.catalog.snapshot import Snapshot, open_snapshot
from edge.context import Context
from edge.errors import RuntimeMissingError
from edge.firmware import FirmwareProfile
from edge.recommend.candidates import Request
from edge.recommend.features import describe
from edge.recommend.history import History
from edge.recommend.lookup import Lookup
from edge.recommend.recommender import Recommender
from edge.recommend.records import MAX_ITEMS
from edge.recommend.taste import Taste

REPEATS = 200
CANDIDATES = 200
HEARD_ROW = 7


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """Synthetic items, each with an audio vector; a user whose memory is full, hearing something.

    ``feedback to list`` is ``History.add`` (on the disk) and the list of ten with reasons that follows. ``content``
    has no collaborative part, and needs faiss beside a device's packages; ``ease`` and ``als`` have factors, 50
    neighbours and 50 followers an item, and need the exporter's packages to be made. implicit (``peers``) folds a
    history of that length into factors of the same size, in memory, and gives ten ids: no disk, no context, no ranker,
    no order among artists, no reasons.
    """
    rows: list[Row] = []
    for method in METHODS:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            try:
                write(folder / "catalog", method)
            except (ImportError, RuntimeMissingError) as error:
                why = f"needs {error.name}: pip install 'roomtone[export]'" if isinstance(error, ImportError) else error
                rows.append(Row(f"{method}: feedback to list", {"median_ms": None}, str(why)))
                continue
            snapshot = stack.enter_context(open_snapshot(folder / "catalog"))
            history = stack.enter_context(History(folder / "history.db"))
            history.add_all([event(number, prefix="kept") for number in range(MAX_ITEMS + 100)])
            rows += _rows(method, snapshot, history, peers)
    return rows


def _rows(method: str, snapshot: Snapshot, history: History, peers: bool) -> list[Row]:
    cases, taste = _cases(snapshot, history)
    rows = []
    if peers and method == "als":
        try:
            cases["implicit, fold in and ten ids"] = implicit_als(MAX_ITEMS)
        except ImportError:
            rows.append(Row("als: implicit", {"median_ms": None}, "needs implicit: pip install 'roomtone[bench]'"))
    timings = interleave(cases, repeats=REPEATS)
    found = [Row(f"{method}: {name}", _figures(timing)) for name, timing in timings.items()]
    return [*found, Row(f"{method}: one user's taste", {"state_kib": taste.nbytes / 1024}), *rows]


def _cases(snapshot: Snapshot, history: History) -> tuple[dict[str, Work], Taste]:
    trained, lookup, numbers = ranker(), Lookup(snapshot), count()
    recommender = Recommender(snapshot, history, ranker=trained)
    heard, _ = snapshot.views["audio"].vectors(np.array([HEARD_ROW]))
    context = Context({"audio": heard[0]}, {}, 12.0)
    taste = Taste(lookup)
    taste.take(history.numbered("anna"))
    values = describe(lookup, Request(context, taste), np.arange(CANDIDATES, dtype=np.int32)).values
    recommender.recommend(context, user="anna")

    def feedback() -> None:
        history.add(event(next(numbers), prefix="timed"))
        recommender.recommend(context, user="anna", k=10)

    def update() -> None:
        number = next(numbers)
        taste.take([(10**6 + number, event(number))])
        taste.content("audio")
        taste.users()

    return {
        "feedback to list": feedback,
        "feedback alone": lambda: history.add(event(next(numbers), prefix="timed")),
        "list alone": lambda: recommender.recommend(context, user="anna", k=10),
        "taste, one event": update,
        f"ranker, {CANDIDATES} candidates": lambda: trained.score(values),
    }, taste


def _figures(timing: Timing) -> dict[str, Figure]:
    return timing.figures_ms() | {"p95_ms": float(np.percentile(timing.wall_s, 95)) * 1e3}
