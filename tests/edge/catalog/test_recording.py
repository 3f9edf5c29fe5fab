"""The recording whose windows were heard, by the definition: mean cosine in their order, at the best place."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.catalog import recording
from edge.catalog.ivf import NEIGHBOURS, IvfIndex
from edge.catalog.lists import open_lists
from edge.catalog.recording import RecordingView
from edge.errors import ShapeError
from export.catalog import inverted_lists
from export.catalog.vectors import as_stored

DIMENSION = 16


def unit_rows(n: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def opened(lengths, *, seed=0, index=None):
    """Recording i is item 3 i + 1."""
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    stored = as_stored(unit_rows(int(starts[-1]), seed))
    rows = np.arange(len(lengths), dtype=np.int32) * 3 + 1
    return RecordingView(stored, rows, starts, index, name="recording", space="r"), stored, starts


def by_hand(stored, starts, heard, offsets=range(99)):
    return np.array([max(sum(float(heard[j] @ stored[at + offsets[j]]) / 127 for j in range(len(heard))
                             if at + offsets[j] < end) for at in range(begin, end)) / len(heard)
                     for begin, end in itertools.pairwise(starts)])


@given(st.lists(st.integers(1, 30), min_size=1, max_size=20), st.integers(1, 9), st.integers(1, 40), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_scores_are_the_definition_however_chunks_fall(lengths, heard_windows, chunk, seed):
    whole, recording.CHUNK_ROWS = recording.CHUNK_ROWS, chunk
    try:
        view, stored, starts = opened(lengths, seed=seed)
        heard = unit_rows(heard_windows, seed + 1)
        rows, scores = view.match(heard, len(lengths))
    finally:
        recording.CHUNK_ROWS = whole
    right = by_hand(stored, starts, heard)
    np.testing.assert_allclose(scores, np.sort(right)[::-1], atol=1e-5)
    np.testing.assert_allclose(right[(rows - 1) // 3], scores, atol=1e-5)


def test_the_recording_is_named_by_its_windows():
    view, stored, starts = opened([4] * 60)
    heard = stored[starts[17] + 1 : starts[17] + 3].astype(np.float32)
    rows, scores = view.match(heard, 3)
    assert rows[0] == 17 * 3 + 1
    assert rows.dtype == np.int32
    assert scores[0] == pytest.approx(1, abs=0.01)
    assert scores[1] < 0.95


def test_the_order_counts():
    view, stored, starts = opened([9] * 20)
    heard = stored[starts[7] + 2 : starts[7] + 8].astype(np.float32)
    assert view.match(heard, 1)[1][0] == pytest.approx(1, abs=0.01)
    assert view.match(heard[::-1], 1)[1][0] < 0.7


def test_windows_are_laid_where_their_times_say():
    """Every half second heard, one of them silent and left out; the catalogue's windows are a second apart."""
    view, stored, starts = opened([30] * 20)
    steps = np.array([0, 0, 1, 3, 3, 4])
    heard = stored[starts[5] + 4 + steps] / 127
    times = np.array([2.0, 2.4, 3.0, 5.0, 5.4, 6.0])
    rows, scores = view.match(heard, 20, starts_s=times)
    assert (rows[0], scores[0]) == (5 * 3 + 1, pytest.approx(1, abs=0.01))
    right = by_hand(stored, starts, heard.astype(np.float32), steps)
    np.testing.assert_allclose(scores, np.sort(right)[::-1], atol=0.01)
    assert view.match(heard, 1)[1][0] < 0.9


def test_what_a_recording_lacks_counts_as_nothing():
    view, stored, starts = opened([3])
    heard = np.concatenate([stored[1:3] / 127, unit_rows(2, 9)])
    assert view.match(heard, 1)[1][0] == pytest.approx(2 / 4, abs=0.3)
    np.testing.assert_allclose(view.match(heard, 1)[1], by_hand(stored, starts, heard.astype(np.float32)), atol=0.01)


def test_what_is_not_allowed_is_not_named():
    view, stored, starts = opened([4] * 60)
    allowed = np.ones(200, bool)
    allowed[17 * 3 + 1] = False
    rows, scores = view.match(stored[starts[17] : starts[18]], 60, allowed=allowed)
    assert len(rows) == 59
    assert 17 * 3 + 1 not in rows
    kept = np.delete(by_hand(stored, starts, stored[starts[17] : starts[18]].astype(np.float32) / 127), 17)
    np.testing.assert_allclose(scores, np.sort(kept)[::-1], atol=0.01)


def test_a_large_view_names_the_same_through_its_index(tmp_path):
    exact, stored, starts = opened([20] * 300)
    made = inverted_lists.build(stored, np.arange(len(stored), dtype=np.int32), tmp_path, "r")
    lists = open_lists(lambda file, dtype, shape: np.load(tmp_path / file), "r", (made["listed"], stored.shape[1]),
                       lists=made["lists"], groups=made["groups"])
    index = IvfIndex(lists, probes={k: made["probes"][str(k)] for k in NEIGHBOURS})
    large, _, _ = opened([20] * 300, index=index)
    for number in range(0, 300, 30):
        heard = stored[starts[number] + 3 : starts[number] + 9] / 127 + 0.5 * unit_rows(6, number)
        (row, *_), (score, *_) = large.match(heard, 2)
        assert row == exact.match(heard, 2)[0][0] == number * 3 + 1
        assert score == pytest.approx(exact.match(heard, 1)[1][0], abs=1e-5)


@pytest.mark.parametrize("windows", [
    np.zeros((2, DIMENSION + 1)), np.zeros(DIMENSION), np.full((1, DIMENSION), np.nan), np.zeros((0, 3)),
])
def test_windows_of_another_shape_are_refused(windows):
    with pytest.raises(ShapeError, match=r"heard windows must be finite numbers \(n, 16\)"):
        opened([3])[0].match(windows, 1)


def test_nothing_heard_or_nothing_there_is_nothing_named():
    for view, heard in ((opened([3])[0], np.zeros((0, DIMENSION))), (opened([])[0], unit_rows(2, 1))):
        assert [len(part) for part in view.match(heard, 3)] == [0, 0]
    assert [len(part) for part in opened([3])[0].match(unit_rows(2, 1), 0)] == [0, 0]
