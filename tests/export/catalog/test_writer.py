"""The writer: whole or not at all, the same bytes for the same inputs, nothing that does not fit."""

from dataclasses import replace

import numpy as np
import pytest

from edge.catalog.items import Item
from edge.catalog.snapshot import open_snapshot
from edge.errors import ExportError
from export.catalog.writer import SnapshotWriter, ViewData, ViewSpec, write_snapshot

SPECS = {"audio": ViewSpec("a", 8), "recording": ViewSpec("r", 8, windows=True)}


def rows(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, 8)).astype(np.float32)


def item(number: int, **fields) -> Item:
    return Item(row=0, **{"item": f"track:{number}", "kind": "track", "title": f"T{number}"} | fields)


def write(folder, *, count=30, **options):
    with SnapshotWriter(folder, SPECS, name="test", **options) as writer:
        for number in range(count):
            vectors = {"audio": rows(1, number)[0]} if number % 3 else {}
            writer.add(item(number, artist=f"A{number % 4}"), vectors | {"recording": rows(number % 5, number)})
        return writer.finish()


def test_what_is_written_is_opened(tmp_path):
    version = write(tmp_path / "c")
    with open_snapshot(tmp_path / "c") as snapshot:
        assert (snapshot.version, len(snapshot.items), snapshot.views["audio"].size) == (version, 30, 20)
        assert [found.row for found in snapshot.items] == list(range(30))
        assert snapshot.recordings.size == sum(number % 5 for number in range(30))
        assert snapshot.views["audio"].vector(0) is None
        expected = rows(1, 7)[0] / np.linalg.norm(rows(1, 7)[0])
        np.testing.assert_allclose(snapshot.views["audio"].vector(7), expected, atol=0.01)
        assert snapshot.recordings.match(rows(4, 9), 1)[0].tolist() == [9]
        assert snapshot.facets.artist.tolist() == [number % 4 for number in range(30)]
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


@pytest.mark.parametrize("ivf_from", [None, 10])
def test_the_same_inputs_give_the_same_bytes(tmp_path, ivf_from):
    versions = {write(tmp_path / name, ivf_from=ivf_from) for name in ("one", "two")}
    assert len(versions) == 1
    names = {path.name for path in (tmp_path / "one").iterdir()}
    assert ("audio.lists.npy" in names) == ("recording.lists.npy" in names) == (ivf_from is not None)
    assert ("audio.vectors.npy" in names) == (ivf_from is None)  # the lists are the only copy
    assert "recording.vectors.npy" in names
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_other_content_is_another_version(tmp_path):
    assert write(tmp_path / "one") != write(tmp_path / "two", count=29)


@pytest.mark.parametrize(("least", "listed"), [(20, 40), (21, 20)])
def test_vectors_of_a_view_that_is_large_enough_lie_in_two_lists(tmp_path, monkeypatch, least, listed):
    monkeypatch.setattr("export.catalog.inverted_lists.TWICE_FROM_VECTORS", least)
    vectors = np.random.default_rng(0).standard_normal((20, 16)).astype(np.float32)
    monkeypatch.setattr("export.catalog.clusters.VECTORS_PER_LIST", 4)
    write_snapshot(tmp_path / "c", [replace(item(n), row=n) for n in range(20)],
                   {"audio": ViewData("a@1", vectors, np.arange(20))}, name="t", ivf_from=1)
    with open_snapshot(tmp_path / "c") as snapshot:
        assert snapshot.views["audio"].size == 20
        assert len(np.load(tmp_path / "c" / "audio.labels.npy")) == listed
        assert snapshot.views["audio"].search(vectors[7], 1)[0].tolist() == [7]


def test_a_large_view_answers_through_its_index(tmp_path):
    write(tmp_path / "c", count=300, ivf_from=100)
    with open_snapshot(tmp_path / "c") as snapshot:
        assert snapshot.views["audio"].search(rows(1, 100)[0], 3)[0][0] == 100
        assert snapshot.recordings.match(rows(4, 99), 3)[0][0] == 99


def test_the_old_one_stays_when_the_new_one_fails(tmp_path):
    write(tmp_path / "c")
    with SnapshotWriter(tmp_path / "c", SPECS, name="test") as writer:
        writer.add(item(1), {})
        with pytest.raises(ExportError, match="'track:1' cannot be written: UNIQUE constraint"):
            writer.add(item(1), {})
    with open_snapshot(tmp_path / "c") as snapshot:
        assert len(snapshot.items) == 30
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_the_new_one_takes_the_old_ones_place(tmp_path):
    write(tmp_path / "c")
    write(tmp_path / "c", count=5)
    with open_snapshot(tmp_path / "c") as snapshot:
        assert len(snapshot.items) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_what_is_no_snapshot_is_not_replaced(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").write_bytes(b"x")
    (tmp_path / "file").write_bytes(b"x")
    for name in ("photos", "file"):
        with pytest.raises(ExportError, match=f"{name} is there and is no snapshot; give another place"):
            SnapshotWriter(tmp_path / name, SPECS, name="test")
    assert (tmp_path / "photos" / "one.jpg").exists()


def test_an_empty_catalogue_is_refused(tmp_path):
    with pytest.raises(ExportError, match="nothing to put into the catalogue"):
        write(tmp_path / "c", count=0)


@pytest.mark.parametrize(("vectors", "message"), [
    ({"audio": np.zeros(8)}, "a vector is zero or not finite"),
    ({"audio": np.full(8, np.nan)}, "a vector is zero or not finite"),
    ({"audio": np.ones(7)}, r"vectors of shape \(1, 7\), not \(1, 8\)"),
    ({"audio": np.ones((2, 8))}, r"vectors of shape \(2, 8\), not \(1, 8\)"),
    ({"video": np.ones(8)}, "has a vector for video, which is no view of this snapshot; it has audio, recording"),
])
def test_vectors_that_do_not_fit_are_refused(tmp_path, vectors, message):
    with (SnapshotWriter(tmp_path / "c", SPECS, name="test") as writer,
          pytest.raises(ExportError, match=message)):
        writer.add(item(1), vectors)


def test_a_field_of_another_type_is_refused(tmp_path):
    with (SnapshotWriter(tmp_path / "c", SPECS, name="test") as writer,
          pytest.raises(ExportError, match="every field must be of its type")):
        writer.add(item(1, year="soon"), {})


def test_texts_of_any_kind_are_kept(tmp_path):
    title = "שלום 🎵 北京 \u202e " + "x" * 100_000
    with SnapshotWriter(tmp_path / "c", SPECS, name="test") as writer:
        writer.add(item(1, title=title), {})
        writer.finish()
    with open_snapshot(tmp_path / "c") as snapshot:
        assert snapshot.items.by_row(0).title == title
        assert snapshot.items.search("北京", 1)


def test_all_at_once_is_the_same(tmp_path):
    items = [Item(row, f"track:{row}", "track", f"T{row}") for row in range(6)]
    vectors, windows = rows(4), rows(12, 1)
    views = {"audio": ViewData("a", vectors, np.array([0, 2, 3, 5])),
             "recording": ViewData("r", windows, np.repeat(np.arange(6), 2), windows=True)}
    write_snapshot(tmp_path / "one", items, views, name="test")
    with SnapshotWriter(tmp_path / "two", SPECS, name="test") as writer:
        for number, each in enumerate(items):
            found = {"audio": vectors[[0, 2, 3, 5].index(number)]} if number in (0, 2, 3, 5) else {}
            writer.add(each, found | {"recording": windows[2 * number : 2 * number + 2]})
        writer.finish()
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


@pytest.mark.parametrize(("numbers", "message"), [
    ([0, 1], "2 vectors for"), ([0, 1, 6], "of 6 items"), ([-1, 0, 1], "of 6 items"),
    ([0, 2, 1], "rows must ascend"), ([0, 1, 1], "rows must ascend"),
])
def test_rows_that_do_not_fit_are_refused(tmp_path, numbers, message):
    items = [Item(row, f"track:{row}", "track", "T") for row in range(6)]
    count = 2 if message.startswith("2") else 3
    with pytest.raises(ExportError, match=message):
        write_snapshot(tmp_path / "c", items, {"audio": ViewData("a", rows(count), np.array([*numbers, 5][:3]))},
                       name="test")
