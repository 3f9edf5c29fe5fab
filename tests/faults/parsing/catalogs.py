"""A catalogue whose files were altered and sealed again, as by a maker who was taken over: opened and used."""

import contextlib
import io
import json
from pathlib import Path

import numpy as np

from edge.catalog.arrays import open_array
from edge.catalog.items import Item
from edge.catalog.snapshot import open_snapshot
from edge.context import Context, unit
from edge.recommend.history import Event, History
from edge.recommend.ranker import load as load_ranker
from edge.recommend.recommender import Recommender
from export.catalog.writer import ViewData, write_snapshot
from export.cli import main
from export.manifest import seal
from tests.faults.parsing.parser import Opened, Parser, file_of

ITEMS, D, WINDOWS = 80, 16, 5
INDEXED_FROM = 300


def _vectors(count: int, seed: int) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal((count, D)))


def build(folder: Path) -> Path:
    """Views of sound, pictures, recordings (with windows and an index) and the crowd's; a ranker."""
    items = [Item(row, f"track:{row}", "track", f"Title {row % 9}", artist=f"Artist {row % 7}", genre="rock|folk",
                  year=1990 + row % 30, popularity=row / ITEMS) for row in range(ITEMS)]
    views = {
        "audio": ViewData("a@1", _vectors(ITEMS, 1), np.arange(ITEMS)),
        "video": ViewData("v@1", _vectors(20, 2), np.arange(0, ITEMS, 4)),
        "recording": ViewData("r@1", _vectors(ITEMS * WINDOWS, 3), np.repeat(np.arange(ITEMS), WINDOWS), windows=True),
    }
    write_snapshot(folder / "catalog", items, views, name="fuzz", version="1", ivf_from=INDEXED_FROM)
    _add_crowd(folder / "catalog", folder / "ratings.csv")
    return folder / "catalog"


def _add_crowd(catalog: Path, ratings: Path) -> None:
    """Who plays what together, and a ranker, from ratings, by the real command."""
    chance = np.random.default_rng(4)
    rows = ["user,item,rating,timestamp", *(
        f"{user},track:{item},{chance.integers(1, 6)},{1_600_000_000 + 1000 * place}"
        for user in range(40) for place, item in enumerate(chance.permutation(ITEMS)[:15]))]
    ratings.write_text("\n".join(rows) + "\n")
    with contextlib.redirect_stdout(io.StringIO()):
        assert main(["collaborative", str(ratings), "--catalog", str(catalog)]) == 0


def use(catalog: Path, history: History) -> None:
    """Everything that the daemon does with a catalogue."""
    with open_snapshot(catalog) as snapshot:
        list(snapshot.items)
        snapshot.items.search("title 3", 5)
        for view in snapshot.views.values():
            view.search(np.ones(view.dimension, np.float32), 5)
        vectors = {name: unit(np.ones(view.dimension, np.float32)) for name, view in snapshot.views.items()}
        windows = {"recording": np.ones((3, snapshot.recordings.dimension), np.float32)} if snapshot.recordings else {}
        context = Context(vectors, windows, 9.0)
        recommender = Recommender(snapshot, history)
        recommender.now_playing(context)
        recommender.recommend(context, user="anna", k=5)


def _snapshot(folder: Path) -> Opened:
    catalog, history = build(folder), History(folder / "history.db")
    history.add(Event("1", "anna", "track:3", "like", None, 1.0))
    whole = {path.name: path.read_bytes() for path in sorted(catalog.iterdir())}
    document = {key: value for key, value in json.loads(whole["manifest.json"]).items() if key != "files"}

    def parse(key: str, content: bytes) -> None:
        (catalog / key).write_bytes(content)
        try:
            if key != "manifest.json":
                seal(catalog, document)
            use(catalog, history)
        finally:
            (catalog / key).write_bytes(whole[key])
            (catalog / "manifest.json").write_bytes(whole["manifest.json"])

    return list(whole.items()), parse


def _array(folder: Path) -> Opened:
    np.save(folder / "seed.npy", np.arange(12, dtype=np.int32).reshape(3, 4))
    seed = (folder / "seed.npy").read_bytes()
    return [("", seed)], file_of(folder, "a.npy", lambda path: open_array(path, np.int32, (3, 4)).sum())


def _ranker(folder: Path) -> Opened:
    from edge.recommend.feature_names import NAMES

    width = len(NAMES)
    hidden = {"weights": [[0.1, -0.2]] * width, "bias": [0.0, 1.0], "output": [1.0, -1.0]}
    document = {"format": 1, "features": list(NAMES), "linear": [0.5] * width, "bias": -3.0, "mean": [0.0] * width,
                "scale": [1.0] * width}
    seeds = [("", json.dumps({**document, "hidden": part}).encode()) for part in (None, hidden)]
    return seeds, file_of(folder, "ranker.json", load_ranker)


PARSERS = (Parser("snapshot", 20, _snapshot), Parser("array", 60, _array), Parser("ranker", 40, _ranker))
