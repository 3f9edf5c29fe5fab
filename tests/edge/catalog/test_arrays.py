"""A file is taken for an array only if it is exactly the one that was announced."""

import io

import numpy as np
import pytest

from edge.catalog.arrays import check_ascending, check_inverse, check_within, open_array
from edge.errors import SnapshotError


def written(path, array, **how):
    np.save(path, array, **how)
    return path


@pytest.mark.parametrize("array", [
    np.arange(12, dtype=np.int8).reshape(3, 4), np.arange(5, dtype=np.int64), np.zeros((0, 4), np.int8),
    np.zeros(0, np.int32), np.ones((2, 3)),
])
def test_what_numpy_wrote_is_read_back(tmp_path, array):
    opened = open_array(written(tmp_path / "a.npy", array), array.dtype.type, array.shape)
    np.testing.assert_array_equal(opened, array)
    assert opened.dtype == array.dtype
    assert not opened.flags.writeable


@pytest.mark.parametrize("array", [
    np.zeros((3, 4), np.int16), np.zeros((4, 3), np.int8), np.zeros(12, np.int8), np.zeros((3, 4), np.uint8),
    np.asfortranarray(np.zeros((3, 4), np.int8)), np.zeros((3, 4), ">i4"), np.zeros((3, 4), [("a", "i1")]),
])
def test_another_array_is_refused(tmp_path, array):
    with pytest.raises(SnapshotError, match=r"a\.npy: not the array int8 \(3, 4\)"):
        open_array(written(tmp_path / "a.npy", array), np.int8, (3, 4))


def test_a_pickle_is_never_loaded(tmp_path):
    path = written(tmp_path / "a.npy", np.array([{"code": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(SnapshotError):
        open_array(path, np.int8, (1,))


def test_a_shorter_or_longer_file_is_refused(tmp_path):
    whole = io.BytesIO()
    np.save(whole, np.zeros((3, 4), np.int8))
    for content in (whole.getvalue()[:-1], whole.getvalue() + b"\0", b"", b"\x93NUMPY", b"PK\x03\x04" * 9):
        (tmp_path / "a.npy").write_bytes(content)
        with pytest.raises(SnapshotError):
            open_array(tmp_path / "a.npy", np.int8, (3, 4))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SnapshotError, match=r"none\.npy: cannot be read: No such file"):
        open_array(tmp_path / "none.npy", np.int8, (1,))


@pytest.mark.parametrize("values", [[-1, 0], [0, 0], [2, 1], [0, 10]])
def test_values_must_ascend_within_their_range(tmp_path, values):
    with pytest.raises(SnapshotError, match="must ascend within 0 to 9"):
        check_ascending(tmp_path / "a", np.array(values), first=0, last=9)


def test_ascending_values_pass(tmp_path):
    for values in ([], [0], [0, 9], [3, 4, 5]):
        check_ascending(tmp_path / "a", np.array(values, int), first=0, last=9)


@pytest.mark.parametrize("places", [[0, -1, 2], [1, -1, 0], [0, 1, -1], [0, -1, -1], [0, 5, 1], [0, -2, 1], [1, 0, 1]])
def test_places_must_be_those_of_the_rows(tmp_path, places):
    with pytest.raises(SnapshotError, match="says other places than there are"):
        check_inverse(tmp_path / "a", np.array(places, np.int32), np.array([0, 2], np.int32))


@pytest.mark.parametrize("rows", [[0, 3], [-1, 0], [0, 0]])
def test_rows_without_a_place_are_refused(tmp_path, rows):
    with pytest.raises(SnapshotError, match="says other places than there are"):
        check_inverse(tmp_path / "a", np.array([0, -1, 1], np.int32), np.array(rows, np.int32))


def test_places_of_the_rows_pass(tmp_path, monkeypatch):
    check_inverse(tmp_path / "a", np.full(3, -1, np.int32), np.zeros(0, np.int32))
    monkeypatch.setattr("edge.catalog.arrays.CHECKED_AT_ONCE", 2)
    check_inverse(tmp_path / "a", np.array([2, -1, 0, 1], np.int32), np.array([2, 3, 0], np.int32))


def test_values_must_lie_within_their_range(tmp_path):
    check_within(tmp_path / "a", np.array([3, 0, 9]), first=0, last=9)
    for value in (-1, 10):
        with pytest.raises(SnapshotError, match="must lie within 0 to 9"):
            check_within(tmp_path / "a", np.array([3, value]), first=0, last=9)
