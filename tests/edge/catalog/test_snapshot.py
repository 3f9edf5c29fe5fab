"""Snapshots through the real writer: found, searched, refused."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.catalog.items import Item
from edge.catalog.snapshot import open_snapshot
from edge.errors import RoomtoneError, SnapshotError
from export.catalog.writer import ViewData, write_snapshot
from export.manifest import seal

DIMENSION = 16
TITLES = ["Morning Coffee", "Elvish Theme", "北京欢迎你", "Fear", 'A "quoted" OR title', "🎵 emoji"]


def unit_rows(n: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def items(n: int) -> list[Item]:
    return [Item(row, f"track:{row}", "track", TITLES[row % len(TITLES)], artist=f"Artist {row % 7}", album="Album")
            for row in range(n)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("snapshot") / "catalog"
    views = {
        "audio": ViewData("a@1", unit_rows(60, 1), np.arange(60)),
        "video": ViewData("v@1", unit_rows(20, 2), np.arange(0, 60, 3)),
        "recording": ViewData("r@1", unit_rows(240, 3), np.repeat(np.arange(60), 4), windows=True),
    }
    write_snapshot(folder, items(60), views, name="test", version="1")
    return folder


@pytest.fixture
def snapshot(folder):
    with open_snapshot(folder) as snapshot:
        yield snapshot


@pytest.mark.parametrize("ivf_from", [10**9, 100])
def test_search_finds_what_numpy_finds(tmp_path, ivf_from):
    vectors = unit_rows(2000, 4)
    write_snapshot(tmp_path / "c", items(2000), {"audio": ViewData("a", vectors, np.arange(2000))}, name="t",
                   version="1", ivf_from=ivf_from)
    allowed = np.random.default_rng(5).random(2000) < 0.5
    with open_snapshot(tmp_path / "c") as snapshot:
        found = []
        for query in unit_rows(20, 6):
            right = np.flatnonzero(allowed)[np.argsort(-(vectors @ query)[allowed])[:10]]
            rows, scores = snapshot.views["audio"].search(query, 10, allowed=allowed)
            assert allowed[rows].all()
            assert (np.diff(scores) <= 0).all()
            np.testing.assert_allclose(scores, vectors[rows] @ query, atol=0.02)
            found.append(len(set(rows) & set(right)) / 10)
        assert np.mean(found) > (0.95 if ivf_from > 2000 else 0.8)


def test_a_vector_survives_as_it_was(snapshot):
    np.testing.assert_allclose(snapshot.views["video"].vector(9), unit_rows(20, 2)[3], atol=0.01)
    assert snapshot.views["video"].vector(10) is None
    assert snapshot.views["video"].vector(10_000) is None


def test_match_names_the_recording_of_the_windows(snapshot):
    heard = unit_rows(240, 3).reshape(60, 4, DIMENSION)[17, 1:3]
    rows, scores = snapshot.recordings.match(heard, 3)
    assert rows[0] == 17
    assert scores[0] == pytest.approx(1, abs=0.01)
    by_hand = (heard @ unit_rows(240, 3).T).reshape(2, 60, 4).max(axis=2).mean(axis=0)
    np.testing.assert_allclose(scores, np.sort(by_hand)[::-1][:3], atol=0.02)


def test_items_by_row_and_by_id(snapshot):
    assert len(snapshot.items) == 60
    assert snapshot.items.by_row(1).title == "Elvish Theme"
    assert snapshot.items.by_id("track:2").title == "北京欢迎你"
    assert snapshot.items.by_id("nothing") is None
    with pytest.raises(SnapshotError, match="no row 60"):
        snapshot.items.by_row(60)


@pytest.mark.parametrize(("words", "title"), [
    ("coffee", "Morning Coffee"), ("morn", "Morning Coffee"), ("elvish artist", "Elvish Theme"), ("北京", "北京欢迎你"),
    ("迎你", "北京欢迎你"), ("quoted title", 'A "quoted" OR title'), ("emoji", "🎵 emoji"),
])
def test_words_find_titles(snapshot, words, title):
    found = snapshot.items.search(words, 5)
    assert found
    assert all(snapshot.items.by_row(row).title == title for row, _ in found)
    assert all(a[1] >= b[1] for a, b in zip(found, found[1:], strict=False))


@given(st.text(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_whatever_is_typed_is_no_syntax(folder, words):
    with open_snapshot(folder) as snapshot:
        assert isinstance(snapshot.items.search(words, 3), list)


def test_a_million_characters_are_cut(snapshot):
    assert snapshot.items.search("elvish " * 200_000, 3)


def test_the_same_inputs_give_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        write_snapshot(tmp_path / name, items(30), {"audio": ViewData("a", unit_rows(30, 1), np.arange(30))},
                       name="t", version="1")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_another_bundles_space_is_refused(folder):
    with pytest.raises(SnapshotError, match=r"'a@1', the bundle's models in 'a@2'; build the catalogue"):
        open_snapshot(folder, spaces={"audio": "a@2"})


def test_a_flipped_byte_is_refused(folder, tmp_path):
    for name in ("items.sqlite", "audio.vectors.npy", "recording.rows.npy"):
        copy = tmp_path / name
        shutil.copytree(folder, copy)
        content = bytearray((copy / name).read_bytes())
        content[len(content) // 2] ^= 1
        (copy / name).write_bytes(content)
        with pytest.raises(SnapshotError, match=f"{name}: altered"):
            open_snapshot(copy)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(SnapshotError, match="none: cannot read its manifest"):
        open_snapshot(tmp_path / "none")


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_behind_right_hashes_is_refused(folder, tmp_path, data):
    """What a broken exporter could seal: only SnapshotErrors, at opening or at use."""
    copy = tmp_path / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    name = data.draw(st.sampled_from(sorted(path.name for path in copy.iterdir() if path.suffix != ".json")))
    content = bytearray((copy / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, min(len(content) - 1, 4096)))] = data.draw(st.integers(0, 255))
    (copy / name).write_bytes(content[: data.draw(st.integers(0, len(content)))])
    document = json.loads((copy / "manifest.json").read_text())
    seal(copy, {key: value for key, value in document.items() if key != "files"})
    try:
        with open_snapshot(copy) as snapshot:
            snapshot.items.search("coffee", 3)
            snapshot.items.by_row(0)
            snapshot.views["audio"].search(np.ones(DIMENSION, np.float32), 3)
    except RoomtoneError:
        pass


def test_many_vectors_at_once_are_the_single_ones(snapshot):
    rows = np.array([3, 1, 59, 0, 3])
    vectors, known = snapshot.views["video"].vectors(rows)
    assert known.tolist() == [True, False, False, True, True]
    for row, vector in zip(rows, vectors, strict=True):
        one = snapshot.views["video"].vector(row)
        assert np.array_equal(vector, np.zeros(DIMENSION) if one is None else one)


def test_all_cosines_are_the_searchs(snapshot):
    query = unit_rows(1, 8)[0]
    rows, scores = snapshot.views["audio"].cosines(query)
    found, best = snapshot.views["audio"].search(query, 5)
    order = np.argsort(-scores)[:5]
    assert rows[order].tolist() == found.tolist()
    assert np.array_equal(scores[order], best)


def test_a_field_of_every_item(snapshot):
    assert snapshot.items.column("artist") == [f"Artist {row % 7}" for row in range(60)]
    with pytest.raises(ValueError, match="field"):
        snapshot.items.column("title; DROP TABLE items")
