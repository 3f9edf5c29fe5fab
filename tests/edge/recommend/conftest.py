"""A small catalogue whose neighbourhoods are known: three artists of audio, one channel of video, clusters apart."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

from edge.context import Context, unit
from edge.recommend.history import History

D = 16
ARTISTS = ("Ada", "Ben", "Cleo")
TRACKS = 12
SHOTS = 8


@dataclass
class Item:
    row: int
    item: str
    kind: str
    title: str
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    channel: str | None = None
    year: int | None = None
    duration_s: float = 180.0


@dataclass
class View:
    name: str
    vectors: dict[int, np.ndarray]
    space: str = "test"
    dimension: int = D

    @property
    def size(self) -> int:
        return len(self.vectors)

    def vector(self, row):
        return self.vectors.get(row)

    def search(self, query, k, *, allowed=None):
        rows = np.array([row for row in self.vectors if allowed is None or allowed[row]], np.int32)
        scores = np.array([self.vectors[row] @ query for row in rows], np.float32)
        order = np.argsort(-scores)[:k]
        return rows[order], scores[order]


@dataclass
class Recordings:
    vectors: dict[int, np.ndarray]

    def match(self, windows, k):
        rows = np.array(list(self.vectors), np.int32)
        scores = np.array([(windows @ self.vectors[row].T).max(1).mean() for row in rows], np.float32)
        order = np.argsort(-scores)[:k]
        return rows[order], scores[order]


@dataclass
class Items:
    items: list[Item] = field(default_factory=list)

    def __len__(self):
        return len(self.items)

    def by_row(self, row):
        return self.items[row]

    def by_id(self, name):
        return next((item for item in self.items if item.item == name), None)

    def search(self, words, k):
        return [(item.row, 1.0) for item in self.items if words.lower() in item.title.lower()][:k]


@pytest.fixture(scope="session")
def snapshot():
    rng = np.random.default_rng(4)
    items, audio, video, recordings = [], {}, {}, {}
    for number, artist in enumerate(ARTISTS):
        for track in range(TRACKS):
            row = len(items)
            items.append(
                Item(
                    row,
                    f"{artist}-{track}".lower(),
                    "track",
                    f"{artist} {track}",
                    artist=artist,
                    album=f"{artist}'s",
                    genre=("rock", "rock", "jazz")[number],
                    year=2000 + track,
                )
            )
            audio[row] = cluster(rng, number)
            recordings[row] = unit(rng.normal(size=(4, D)))
    for shot in range(SHOTS):
        row = len(items)
        items.append(Item(row, f"shot-{shot}", "shot", f"Shot {shot}", channel="Film"))
        video[row] = cluster(rng, 0)
    views = {"audio": View("audio", audio), "video": View("video", video)}
    return SimpleNamespace(
        path=None, name="test", version="1", items=Items(items), views=views, recordings=Recordings(recordings)
    )


def cluster(rng: np.random.Generator, number: int) -> np.ndarray:
    centre = np.zeros(D)
    centre[number] = 3.0
    return unit(centre + rng.normal(size=D) * 0.5)


@pytest.fixture
def history(tmp_path):
    with History(tmp_path / "history.sqlite") as history:
        yield history


@pytest.fixture
def hearing(snapshot):
    """The context in which the track of a row is playing."""

    def hearing(row: int) -> Context:
        windows = snapshot.recordings.vectors[row]
        return Context({"audio": snapshot.views["audio"].vector(row)}, {"recording": windows}, 12.0)

    return hearing
