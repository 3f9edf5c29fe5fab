"""A snapshot with both views of several vectors an item: recordings by their windows, shots by their pictures."""

import numpy as np
import pytest

from edge.catalog.snapshot import open_snapshot
from edge.errors import SnapshotError
from export.catalog.writer import ViewData, write_snapshot
from tests.edge.catalog.conftest import DIMENSION, items, unit_rows

PICTURES = 5


def several(seed: int, rows: range, space: str) -> ViewData:
    return ViewData(space, unit_rows(len(rows) * PICTURES, seed), np.repeat(rows, PICTURES), windows=True)


@pytest.fixture
def folder(tmp_path):
    views = {"recording": several(1, range(10), "r@1"), "shot": several(2, range(10, 18), "v@1+layout53")}
    write_snapshot(tmp_path / "catalog", items(20), views, name="both", version="1")
    return tmp_path / "catalog"


def test_a_picture_finds_its_shot_and_a_window_its_recording(folder):
    shots, windows = unit_rows(8 * PICTURES, 2), unit_rows(10 * PICTURES, 1)
    with open_snapshot(folder) as snapshot:
        assert (snapshot.shots.size, snapshot.recordings.size) == (40, 50)
        for number in (0, 17, 39):
            rows, scores = snapshot.shots.match(shots[number][np.newaxis], 1)
            assert rows.tolist() == [10 + number // PICTURES]
            assert scores[0] == pytest.approx(1, abs=0.01)
            assert snapshot.recordings.match(windows[number][np.newaxis], 1)[0].tolist() == [number // PICTURES]


def test_a_shot_view_of_another_bundle_is_refused(folder):
    open_snapshot(folder, spaces={"shot": "v@1+layout53"}).close()
    with pytest.raises(SnapshotError, match="its shot view lies in the space 'v@1"):
        open_snapshot(folder, spaces={"shot": "v@2+layout53"})


def test_other_views_have_one_vector_an_item(tmp_path):
    views = {"audio": several(1, range(10), "a@1")}
    write_snapshot(tmp_path / "c", items(10), views, name="odd", version="1")
    with pytest.raises(SnapshotError, match="audio with several vectors an item; only recording and shot may"):
        open_snapshot(tmp_path / "c")


def test_a_snapshot_without_shots_opens(tmp_path):
    views = {"audio": ViewData("a@1", unit_rows(10, 1), np.arange(10))}
    write_snapshot(tmp_path / "c", items(10), views, name="plain", version="1")
    with open_snapshot(tmp_path / "c") as snapshot:
        assert snapshot.shots is None
        assert snapshot.recordings is None
        assert snapshot.views["audio"].dimension == DIMENSION
