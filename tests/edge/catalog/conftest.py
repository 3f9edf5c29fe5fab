"""One small snapshot through the real writer, opened by every test of this folder."""

import numpy as np
import pytest

from edge.catalog.items import Item
from edge.catalog.snapshot import open_snapshot
from export.catalog.writer import ViewData, write_snapshot

DIMENSION = 16
ITEMS = 60
WINDOWS = 4
TITLES = ["Morning Coffee", "Elvish Theme", "北京欢迎你", "Fear", 'A "quoted" OR title', "🎵 emoji"]


def unit_rows(n: int, seed: int, dimension: int = DIMENSION) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def items(n: int) -> list[Item]:
    return [Item(row, f"track:{row}", "track", TITLES[row % len(TITLES)], artist=f"Artist {row % 7}", album="Album",
                 year=1990 + row if row % 2 else None, explicit=row % 5 == 0, popularity=row / 100) for row in range(n)]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("snapshot") / "catalog"
    views = {
        "audio": ViewData("a@1", unit_rows(ITEMS, 1), np.arange(ITEMS)),
        "video": ViewData("v@1", unit_rows(20, 2), np.arange(0, ITEMS, 3)),
        "collaborative": ViewData("c@1", unit_rows(ITEMS, 7), np.arange(ITEMS)),
        "recording": ViewData("r@1", unit_rows(ITEMS * WINDOWS, 3), np.repeat(np.arange(ITEMS), WINDOWS), windows=True),
    }
    write_snapshot(folder, items(ITEMS), views, name="test", version="1")
    return folder


@pytest.fixture
def snapshot(folder):
    with open_snapshot(folder) as snapshot:
        yield snapshot
