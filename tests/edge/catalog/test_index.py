"""One contract for every index, run over the exact one and faiss's inverted lists."""

import numpy as np
import pytest

from edge.catalog.index import ExactIndex, best_of
from edge.catalog.ivf import IvfIndex
from edge.errors import RuntimeMissingError, ShapeError, SnapshotError
from export.catalog import inverted_lists
from export.catalog.vectors import as_stored

COUNT, DIMENSION = 6000, 24


def unit_rows(n: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def stored():
    centres = unit_rows(40, 1  )
    return as_stored(centres[np.arange(COUNT) % 40] + 0.6 * unit_rows(COUNT, 2))


@pytest.fixture(scope="module")
def built(stored, tmp_path_factory):
    path = tmp_path_factory.mktemp("ivf") / "audio.faiss"
    return path, inverted_lists.build(stored, path)


@pytest.fixture(params=["exact", "ivf"])
def index(request, stored, built):
    return ExactIndex(stored) if request.param == "exact" else IvfIndex(built[0], stored, probes=built[1])


@pytest.fixture(scope="module")
def queries(stored):
    return inverted_lists.between(stored, 40)


def by_hand(stored, query, k, allowed=None):
    """The definition: cosine of the query with stored / 127, in float64."""
    scores = stored.astype(np.float64) @ (query / np.linalg.norm(query)) / 127
    if allowed is not None:
        scores[~allowed] = -np.inf
    order = np.argsort(-scores, kind="stable")[:k]
    return order, scores[order]


@pytest.mark.parametrize("share", [None, 0.9, 0.5, 0.1, 0.01])
def test_finds_what_the_definition_finds(index, stored, queries, share):
    allowed = None if share is None else np.random.default_rng(3).random(COUNT) < share
    right = total = 0
    for query in queries:
        positions, scores = index.search(query, 10, allowed)
        wanted, _ = by_hand(stored, query, 10, allowed)
        right, total = right + len(set(positions.tolist()) & set(wanted.tolist())), total + len(wanted)
        exact = stored[positions].astype(np.float64) @ query / 127
        np.testing.assert_allclose(scores, exact, atol=1e-5)
        assert (np.diff(scores) <= 0).all()
        assert allowed is None or allowed[positions].all()
        assert len(set(positions.tolist())) == len(positions) == 10
    assert right / total >= 0.95


def test_a_vector_is_its_own_nearest(index, stored):
    for position in (0, 17, COUNT - 1):
        positions, scores = index.search(stored[position].astype(np.float32), 1)
        assert scores[0] == pytest.approx(1, abs=0.01)
        assert (stored[positions[0]] == stored[position]).all()


def test_the_length_of_a_query_does_not_matter(index, queries):
    small, large = index.search(queries[0] * 1e-3, 5), index.search(queries[0] * 1e6, 5)
    np.testing.assert_array_equal(small[0], large[0])
    np.testing.assert_allclose(small[1], large[1], atol=1e-5)


def test_types(index, queries):
    positions, scores = index.search(queries[0], 3)
    assert positions.dtype == np.int64
    assert scores.dtype == np.float32


@pytest.mark.parametrize("k", [0, -5])
def test_none_wanted_none_found(index, queries, k):
    assert [len(part) for part in index.search(queries[0], k)] == [0, 0]


def test_more_wanted_than_there_are(index, queries):
    assert len(index.search(queries[0], COUNT * 2, np.arange(COUNT) < 3)[0]) == 3


def test_nothing_allowed_nothing_found(index, queries):
    assert [len(part) for part in index.search(queries[0], 5, np.zeros(COUNT, bool))] == [0, 0]


def test_one_allowed_is_found_wherever_it_lies(index, queries):
    for position in (0, 1234, COUNT - 1):
        assert index.search(queries[0], 5, np.arange(COUNT) == position)[0].tolist() == [position]


def test_a_query_of_silence_is_no_error(index):
    positions, scores = index.search(np.zeros(DIMENSION, np.float32), 4)
    assert len(positions) <= 4
    assert (scores == 0).all()


@pytest.mark.parametrize("query", [
    np.zeros(DIMENSION + 1, np.float32), np.zeros((1, DIMENSION), np.float32), np.full(DIMENSION, np.nan, np.float32),
    np.full(DIMENSION, np.inf, np.float32),
])
def test_another_shape_or_nan_is_refused(index, query):
    with pytest.raises(ShapeError, match="a query must be 24 finite numbers"):
        index.search(query, 3)


def test_the_same_vectors_make_the_same_index(stored, built, tmp_path):
    assert inverted_lists.build(stored, tmp_path / "again.faiss") == built[1]
    assert (tmp_path / "again.faiss").read_bytes() == built[0].read_bytes()


def test_an_index_of_other_vectors_is_refused(stored, built):
    with pytest.raises(SnapshotError, match="not the index of 5999 x 24 vectors"):
        IvfIndex(built[0], stored[1:], probes=1)


@pytest.mark.parametrize("content", [b"", b"IwSq", b"\xff" * 4000])
def test_a_file_that_is_no_index_is_refused(stored, tmp_path, content):
    (tmp_path / "a.faiss").write_bytes(content)
    with pytest.raises(SnapshotError, match="not a faiss index"):
        IvfIndex(tmp_path / "a.faiss", stored, probes=1)


@pytest.mark.parametrize("seed", range(200))
def test_flipped_bits_are_an_error_or_other_neighbours(stored, built, tmp_path, queries, seed):
    """Never a crash, never a vector that there is not."""
    random = np.random.default_rng(seed)
    content = bytearray(built[0].read_bytes())
    lists_end = 200 + 64 * DIMENSION * 4
    reach = (200, lists_end + 1000, len(content))[seed % 3]
    for place in random.integers(0, reach, random.integers(1, 5)):
        content[place] ^= 1 << random.integers(8)
    (tmp_path / "a.faiss").write_bytes(content)
    try:
        positions, _ = IvfIndex(tmp_path / "a.faiss", stored, probes=64).search(queries[0], 10)
    except SnapshotError:
        return
    assert ((positions >= 0) & (positions < COUNT)).all()


def test_a_missing_faiss_says_what_to_install(stored, built, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    with pytest.raises(RuntimeMissingError, match="pip install faiss-cpu"):
        IvfIndex(built[0], stored, probes=1)


def test_equal_scores_keep_their_order():
    assert best_of(np.array([1, 3, 3, 2, 3], np.float32), 2).tolist() == [1, 2]
    assert best_of(np.array([1, 3], np.float32), 5).tolist() == [1, 0]
