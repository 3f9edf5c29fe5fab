"""A view gives rows of items, whichever of them it has vectors of."""

import numpy as np
import pytest

from edge.catalog.index import ExactIndex
from edge.catalog.view import View
from export.catalog.vectors import as_stored

ROWS = np.array([1, 4, 5, 9], np.int32)
PLACES = np.array([-1, 0, -1, -1, 1, 2, -1, -1, -1, 3, -1, -1], np.int32)


@pytest.fixture
def vectors():
    return np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)


@pytest.fixture
def view(vectors):
    stored = as_stored(vectors)
    return View(stored, PLACES, ExactIndex(stored, ROWS), name="audio", space="a")


def unit(vector):
    return vector / np.linalg.norm(vector)


def test_rows_are_those_of_the_items(view, vectors):
    rows, scores = view.search(vectors[2], 2)
    assert rows.dtype == np.int32
    assert rows[0] == 5
    assert scores[0] == pytest.approx(1, abs=0.01)
    assert (view.size, view.dimension) == (4, 8)


def test_the_mask_is_of_items_not_of_vectors(view, vectors):
    allowed = np.ones(12, bool)
    allowed[5] = False
    rows, _ = view.search(vectors[2], 4, allowed=allowed)
    assert set(rows) == {1, 4, 9}


def test_a_complete_view_takes_the_mask_as_it_is(vectors):
    stored = as_stored(vectors)
    view = View(stored, np.arange(4, dtype=np.int32), ExactIndex(stored), name="audio", space="a")
    assert view.search(vectors[2], 4, allowed=np.arange(4) != 2)[0].tolist() != []
    assert 2 not in view.search(vectors[2], 4, allowed=np.arange(4) != 2)[0]


def test_a_vector_survives_as_it_was(view, vectors):
    np.testing.assert_allclose(view.vector(9), unit(vectors[3]), atol=0.01)
    assert view.vector(9).dtype == np.float32
    for row in (0, 2, 10, 10_000, -1):
        assert view.vector(row) is None


def test_many_vectors_at_once(view, vectors):
    found, known = view.vectors(np.array([4, 0, 9, 11]))
    assert known.tolist() == [True, False, True, False]
    np.testing.assert_allclose(found[[0, 2]], [unit(vectors[1]), unit(vectors[3])], atol=0.01)
    assert not found[[1, 3]].any()


def test_an_empty_view_finds_nothing():
    stored = np.zeros((0, 8), np.int8)
    view = View(stored, np.full(3, -1, np.int32), ExactIndex(stored, np.zeros(0, np.int32)), name="video", space="v")
    assert [len(part) for part in view.search(np.ones(8, np.float32), 3)] == [0, 0]
    assert [len(part) for part in view.search(np.ones(8, np.float32), 3, allowed=np.ones(3, bool))] == [0, 0]
    assert view.vector(0) is None
    assert not view.vectors(np.array([0, 1]))[1].any()
