"""A small catalogue whose neighbourhoods are known: three artists of audio, one channel of video, clusters apart."""

from dataclasses import replace

import numpy as np
import pytest

from edge.catalog.items import Item
from edge.catalog.snapshot import open_snapshot
from edge.context import Context, unit
from edge.recommend.history import History
from export.catalog.writer import ViewData, write_snapshot

D = 16
ARTISTS = ("Ada", "Ben", "Cleo")
TRACKS, SHOTS = 12, 8
WINDOWS = 4


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory):
    """The folder of the snapshot, and the vectors of the recordings' windows (items, WINDOWS, D)."""
    rng = np.random.default_rng(4)
    items = [
        Item(0, f"{artist}-{track}".lower(), "track", f"{artist} {track}", artist=artist, album=f"{artist}'s",
             genre=genre, year=2000 + track)
        for artist, genre in zip(ARTISTS, ("rock", "rock", "jazz"), strict=True) for track in range(TRACKS)
    ]  # fmt: skip
    items += [Item(0, f"shot-{shot}", "shot", f"Shot {shot}", channel="Film") for shot in range(SHOTS)]
    items = [replace(item, row=row) for row, item in enumerate(items)]
    tracks = len(ARTISTS) * TRACKS
    audio = np.stack([cluster(rng, row // TRACKS) for row in range(tracks)])
    video = np.stack([cluster(rng, 0) for _ in range(SHOTS)])
    windows = unit(rng.normal(size=(tracks, WINDOWS, D)))
    views = {
        "audio": ViewData("a", audio, np.arange(tracks)),
        "video": ViewData("v", video, np.arange(tracks, len(items))),
        "recording": ViewData("r", windows.reshape(-1, D), np.repeat(np.arange(tracks), WINDOWS), windows=True),
    }
    folder = tmp_path_factory.mktemp("catalogue") / "catalog"
    write_snapshot(folder, items, views, name="test", version="1")
    return folder, windows


@pytest.fixture(scope="session")
def snapshot(catalogue):
    with open_snapshot(catalogue[0]) as snapshot:
        yield snapshot


def cluster(rng: np.random.Generator, number: int) -> np.ndarray:
    centre = np.zeros(D)
    centre[number] = 3.0
    return unit(centre + rng.normal(size=D) * 0.5)


@pytest.fixture
def history(tmp_path):
    with History(tmp_path / "history.sqlite") as history:
        yield history


@pytest.fixture
def hearing(snapshot, catalogue):
    """The context in which the track of a row is playing."""

    def hearing(row: int) -> Context:
        windows = catalogue[1][row]
        return Context({"audio": snapshot.views["audio"].vector(row)}, {"recording": windows}, 12.0)

    return hearing
