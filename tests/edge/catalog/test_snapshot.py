"""Snapshots through the real writer: opened, refused."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.catalog.facets import Facets
from edge.catalog.similar import similar
from edge.catalog.snapshot import open_snapshot
from edge.errors import RoomtoneError, SnapshotError, UsageError
from export.catalog.writer import ViewData, write_snapshot
from export.manifest import seal
from tests.edge.catalog.conftest import items, unit_rows


def reseal(folder, **changes):
    """Make the hashes right again, as a broken exporter would."""
    document = json.loads((folder / "manifest.json").read_text())
    seal(folder, {key: value for key, value in (document | changes).items() if key != "files"})


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


def test_a_snapshot_says_what_it_holds(snapshot, folder):
    assert (snapshot.name, snapshot.version, len(snapshot.items)) == ("test", "1", 60)
    assert {name: (view.space, view.size) for name, view in snapshot.views.items()} == {
        "audio": ("a@1", 60), "video": ("v@1", 20), "collaborative": ("c@1", 60)}
    assert (snapshot.recordings.space, snapshot.recordings.size) == ("r@1", 240)
    assert snapshot.size_bytes == sum(path.stat().st_size for path in folder.iterdir() if path.suffix != ".json")


def test_facets_are_the_items_columns(snapshot):
    assert isinstance(snapshot.facets, Facets)
    items = list(snapshot.items)
    assert snapshot.facets.year.tolist() == [item.year or 0 for item in items]
    assert snapshot.facets.explicit.astype(bool).tolist() == [item.explicit for item in items]
    assert snapshot.facets.popularity.tolist() == [item.popularity for item in items]
    assert (snapshot.facets.genre == -1).all()
    for row in range(60):
        same = snapshot.facets.artist == snapshot.facets.artist[row]
        assert same.tolist() == [item.artist == items[row].artist for item in items]


def test_similar_items_come_without_the_item_itself(snapshot):
    found = similar(snapshot, "track:9", 5)
    assert len(found) == 5
    assert 9 not in [row for row, _ in found]
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    audio = snapshot.views["audio"].search(snapshot.views["audio"].vector(9), 6)
    assert dict(found)[int(audio[0][1])] >= audio[1][1] - 1e-6


def test_similar_to_nothing_is_refused(snapshot):
    with pytest.raises(UsageError, match="no item 'track:none'; find one with"):
        similar(snapshot, "track:none", 5)


def test_the_bundles_own_spaces_are_accepted(folder):
    with open_snapshot(folder, spaces={"audio": "a@1", "recording": "r@1", "another": "x"}) as snapshot:
        assert snapshot.views


@pytest.mark.parametrize(("view", "space"), [("audio", "a@1"), ("recording", "r@1")])
def test_another_bundles_space_is_refused(folder, view, space):
    with pytest.raises(SnapshotError, match=f"its {view} view .* '{space}', the bundle's models in 'new'; build"):
        open_snapshot(folder, spaces={view: "new"})


def test_a_flipped_byte_is_refused(folder, tmp_path):
    for path in folder.iterdir():
        copy = tmp_path / path.name
        shutil.copytree(folder, copy)
        content = bytearray((copy / path.name).read_bytes())
        content[len(content) // 2] ^= 1
        (copy / path.name).write_bytes(content)
        with pytest.raises(SnapshotError, match=path.name):
            open_snapshot(copy)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(SnapshotError, match="none: cannot read its manifest"):
        open_snapshot(tmp_path / "none")


@pytest.mark.parametrize("name", ["items.sqlite", "facets.npy", "audio.rows.npy", "recording.starts.npy"])
def test_a_file_that_is_not_listed_is_not_read(copy, name):
    kept = (copy / name).read_bytes()
    (copy / name).unlink()
    reseal(copy)
    (copy / name).write_bytes(kept)
    with pytest.raises(SnapshotError, match=f"the manifest lists no '{name}'"):
        open_snapshot(copy)


@pytest.mark.parametrize(("name", "array", "message"), [
    ("audio.rows.npy", np.arange(1, 61, dtype=np.int32), "must ascend within 0 to 59"),
    ("audio.rows.npy", np.zeros(60, np.int32), "must ascend"),
    ("audio.rows.npy", np.arange(60), "not the array int32"),
    ("audio.vectors.npy", np.zeros((60, 16), np.float32), "not the array int8"),
    ("audio.vectors.npy", np.zeros((59, 16), np.int8), "not the array int8"),
    ("recording.starts.npy", np.arange(61), "must go from 0 to 240"),
    ("recording.starts.npy", np.arange(61) * 8, "must ascend within 0 to 240"),
    ("facets.npy", np.full((6, 60), 60, np.int32), "must lie in -1 to 59"),
    ("measures.npy", np.full((2, 60), np.nan), "must be finite"),
])
def test_sealed_arrays_that_do_not_fit_are_refused(copy, name, array, message):
    np.save(copy / name, array)
    reseal(copy)
    with pytest.raises(SnapshotError, match=message):
        open_snapshot(copy)


@pytest.mark.parametrize("changes", [
    {"items": 61}, {"items": "60"}, {"items": -1}, {"views": []}, {"views": {"audio": {}}}, {"format": 3}, {"name": 3},
    {"views": {"../audio": {"space": "a", "dimension": 16, "count": 60, "index": "exact"}}},
    {"views": {"audio": {"space": "a", "dimension": 16, "count": 60, "index": "tree"}}},
    {"views": {"audio": {"space": "a", "dimension": 16, "count": 60, "index": "ivf", "lists": 1, "groups": 1,
                         "probes": {"10": 1, "100": 1, "1000": 1}}}},
    {"views": {"audio": {"space": "a", "dimension": 16, "count": 1 << 39, "index": "exact"}}},
    {"views": {name: {"space": "a", "dimension": 16, "count": 240, "index": "exact", "recordings": 60}
               for name in ("audio", "recording")}},
])
def test_a_manifest_that_does_not_fit_is_refused(copy, changes):
    reseal(copy, **changes)
    with pytest.raises(SnapshotError):
        open_snapshot(copy)


def test_an_older_catalogue_says_what_to_do(copy):
    reseal(copy, format=1)
    with pytest.raises(SnapshotError, match="format 1 is not the format 2 that this version reads"):
        open_snapshot(copy)


@pytest.fixture(scope="session")
def listed(tmp_path_factory):
    """A catalogue whose views all lie in lists, the vectors of items in two each."""
    folder = tmp_path_factory.mktemp("listed") / "catalog"
    views = {
        "audio": ViewData("a@1", unit_rows(400, 1), np.arange(400)),
        "video": ViewData("v@1", unit_rows(200, 2), np.arange(0, 400, 2)),
        "recording": ViewData("r@1", unit_rows(800, 3), np.repeat(np.arange(400), 2), windows=True),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("export.catalog.inverted_lists.TWICE_FROM_VECTORS", 100)
        write_snapshot(folder, items(400), views, name="test", version="1", ivf_from=100)
    return folder


def test_views_in_lists_answer_as_others_do(listed):
    with open_snapshot(listed) as snapshot:
        audio, video = snapshot.views["audio"], snapshot.views["video"]
        assert (audio.size, video.size, snapshot.recordings.size) == (400, 200, 800)
        assert video.vector(3) is None
        for row in (0, 8, 398):
            np.testing.assert_allclose(audio.vector(row), unit_rows(400, 1)[row], atol=0.01)
            np.testing.assert_allclose(video.vector(row), unit_rows(200, 2)[row // 2], atol=0.01)
            assert audio.search(audio.vector(row), 1)[0].tolist() == [row]
            assert video.search(video.vector(row), 1, allowed=np.arange(400) % 4 == 0)[0] % 4 == 0
            assert snapshot.recordings.match(unit_rows(800, 3)[2 * row : 2 * row + 2], 1)[0].tolist() == [row]
        found, known = video.vectors(np.array([8, 9]))
        np.testing.assert_allclose(found, [unit_rows(200, 2)[4], np.zeros(16)], atol=0.01)
        assert known.tolist() == [True, False]


def test_a_catalogue_of_before_whose_vectors_lie_in_one_list_each_is_read(listed, tmp_path):
    """Its manifest does not say how many vectors the lists hold; here that of the recordings, which are so still."""
    copy = shutil.copytree(listed, tmp_path / "copy")
    views = json.loads((copy / "manifest.json").read_text())["views"]
    assert {name: view.pop("listed") for name, view in views.items()} == {"audio": 800, "video": 400, "recording": 800}
    views["audio"]["listed"], views["video"]["listed"] = 800, 400
    reseal(copy, views=views)
    heard = unit_rows(800, 3)[60:64]
    with open_snapshot(copy) as before, open_snapshot(listed) as now:
        for found, right in zip(before.recordings.match(heard, 5), now.recordings.match(heard, 5), strict=True):
            np.testing.assert_array_equal(found, right)


@pytest.mark.parametrize("number", [-1, 399, 801, "800", None])
def test_a_manifest_that_says_a_wrong_number_of_listed_vectors_is_refused(listed, tmp_path, number):
    copy = shutil.copytree(listed, tmp_path / "copy")
    views = json.loads((copy / "manifest.json").read_text())["views"]
    views["audio"]["listed"] = number
    reseal(copy, views=views)
    with pytest.raises(SnapshotError, match=r"listed"):
        open_snapshot(copy)


@pytest.mark.parametrize(("file", "change", "message"), [
    ("audio.labels", lambda a: np.full_like(a, 7), "audio.places.npy: says other places"),
    ("audio.places", lambda a: a[::-1], "audio.places.npy: says other places"),
    ("audio.labels", lambda a: a + 1, "audio.places.npy: says other places"),
    ("recording.labels", lambda a: a + 1, "must lie within 0 to 799"),
    ("recording.labels", lambda a: a - 1, "must lie within 0 to 799"),
    ("audio.bounds", lambda a: a + 1, "must ascend within 0 to 800"),
    ("audio.bounds", lambda a: a[::-1], "must ascend within 0 to 800"),
    ("audio.grouped", lambda a: a - 1, "must ascend within 0"),
    ("audio.grouped", lambda a: np.arange(len(a)) + (np.arange(len(a)) > 0), "must ascend within|must go from 0"),
    ("audio.lists", lambda a: a[:-1], "not the array int8"),
    ("audio.centroids", lambda a: a[:, :-1], "not the array int8"),
])
def test_sealed_lists_that_do_not_fit_are_refused(listed, tmp_path, file, change, message):
    copy = shutil.copytree(listed, tmp_path / "copy")
    np.save(copy / f"{file}.npy", np.ascontiguousarray(change(np.load(copy / f"{file}.npy"))))
    reseal(copy)
    with pytest.raises(SnapshotError, match=message):
        open_snapshot(copy)


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_behind_right_hashes_is_refused(folder, listed, tmp_path, data):
    """What a broken exporter could seal: only RoomtoneErrors, at opening or at use."""
    copy = tmp_path / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(data.draw(st.sampled_from([folder, listed])), copy)
    name = data.draw(st.sampled_from(sorted(path.name for path in copy.iterdir() if path.suffix != ".json")))
    content = bytearray((copy / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    kept = len(content) if data.draw(st.booleans()) else data.draw(st.integers(0, len(content)))
    (copy / name).write_bytes(content[:kept])
    reseal(copy)
    try:
        with open_snapshot(copy) as snapshot:
            use(snapshot)
    except RoomtoneError:
        pass


def use(snapshot):
    """Everything that a snapshot offers, each on its own, so that one error does not hide another's crash."""
    query = np.ones(16, np.float32)
    for work in (
        lambda: snapshot.items.search("coffee", 3), lambda: list(snapshot.items),
        lambda: snapshot.items.by_id("track:3"), lambda: snapshot.items.search("北京", 3),
        lambda: snapshot.views["audio"].search(query, 3), lambda: snapshot.recordings.match(query[np.newaxis], 3),
        lambda: snapshot.views["video"].search(query, 3, allowed=np.arange(len(snapshot.items)) % 9 == 0),
        lambda: snapshot.views["video"].vectors(np.arange(len(snapshot.items))),
        lambda: similar(snapshot, "track:3", 3),
    ):
        try:
            work()
        except RoomtoneError:
            continue
