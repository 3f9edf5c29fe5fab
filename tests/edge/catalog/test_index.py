"""One contract for every index, run over the exact one and the inverted lists."""

import contextlib
import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.catalog.arrays import RowFile, open_array
from edge.catalog.index import ExactIndex, best_of, shortlist
from edge.catalog.ivf import NEIGHBOURS, IvfIndex, spans
from edge.catalog.lists import open_lists
from edge.errors import ShapeError
from export.catalog import inverted_lists
from export.catalog.clusters import second_lists
from export.catalog.vectors import as_stored

COUNT, DIMENSION = 6000, 24


def unit_rows(n: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def stored():
    centres = unit_rows(40, 1)
    return as_stored(centres[np.arange(COUNT) % 40] + 0.6 * unit_rows(COUNT, 2))


def build(stored, folder, labels=None, **options):
    """The index of these vectors, and the folder's entry of the manifest."""
    labels = np.arange(len(stored), dtype=np.int32) if labels is None else labels
    made = inverted_lists.build(stored, labels, folder, "a", **options)
    lists = open_lists(lambda file, dtype, shape: np.load(folder / file), "a", (made["listed"], stored.shape[1]),
                       lists=made["lists"], groups=made["groups"])
    return lists, {k: made["probes"][str(k)] for k in NEIGHBOURS}


@pytest.fixture(scope="module")
def built(stored, tmp_path_factory):
    return build(stored, tmp_path_factory.mktemp("ivf"))


def places_of(labels, total):
    places = np.full(total, -1, np.int32)
    places[labels] = np.arange(len(labels))
    return places


@pytest.fixture(params=["exact", "ivf", "ivf without places"])
def index(request, stored, built):
    if request.param == "exact":
        return ExactIndex(stored)
    lists, probes = built
    return IvfIndex(lists, probes=probes, places=places_of(lists.labels, COUNT) if request.param == "ivf" else None)


def test_lists_that_are_read_give_what_mapped_ones_give(stored, tmp_path):
    lists, probes = build(stored, tmp_path)
    arrays = {name: open_array(tmp_path / f"a.{name}.npy", array.dtype.type, array.shape)
              for name, array in (("lists", lists.vectors), ("labels", lists.labels))}
    files = tuple(RowFile(tmp_path / f"a.{name}.npy", array) for name, array in arrays.items())
    with contextlib.closing(dataclasses.replace(lists, files=files)) as read:
        of_files, of_maps = (IvfIndex(each, probes=probes) for each in (read, lists))
        for query, k in itertools.product(unit_rows(5, 3), (0, 1, 10, 300)):
            for allowed in (None, np.arange(COUNT) % 3 == 0):
                found, right = of_files.search(query, k, allowed), of_maps.search(query, k, allowed)
                np.testing.assert_array_equal(found[0], right[0])
                np.testing.assert_array_equal(found[1], right[1])


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
    assert np.issubdtype(positions.dtype, np.integer)
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


@pytest.mark.parametrize("kind", ["exact", "ivf"])
def test_what_is_found_is_called_by_its_label(stored, queries, tmp_path, kind):
    labels = np.arange(COUNT, dtype=np.int32) * 2 + 1
    if kind == "exact":
        index = ExactIndex(stored, labels)
    else:
        lists, probes = build(stored, tmp_path, labels)
        index = IvfIndex(lists, probes=probes, places=places_of(lists.labels, 2 * COUNT))
    for share in (0.5, 0.002):
        allowed = np.random.default_rng(4).random(2 * COUNT) < share
        for query in queries[:10]:
            found, scores = index.search(query, 5, allowed)
            right = by_hand(stored, query, 5, allowed[labels])[0] * 2 + 1
            assert len(set(found.tolist()) & set(right.tolist())) >= 4
            np.testing.assert_allclose(scores, stored[found // 2].astype(np.float64) @ query / 127, atol=1e-5)


def test_a_filter_that_goes_with_the_vectors_finds_most_of_what_there_is(built, stored, queries):
    """Allowed is what is far from the query: the lists nearest to it hold none of that. Harder than any genre."""
    lists, probes = built
    for places in (places_of(lists.labels, COUNT), None):
        index, right = IvfIndex(lists, probes=probes, places=places), 0
        for query in queries:
            allowed = stored.astype(np.float32) @ query < np.percentile(stored.astype(np.float32) @ query, 40)
            found, wanted = index.search(query, 10, allowed)[0], by_hand(stored, query, 10, allowed)[0]
            assert len(found) == 10
            right += len(set(found.tolist()) & set(wanted.tolist()))
        assert right >= 0.8 * 10 * len(queries)


def test_every_vector_lies_in_the_lists_of_two_near_centroids(built, stored):
    lists, _ = built
    assert sorted(lists.labels.tolist()) == sorted(2 * list(range(COUNT)))
    np.testing.assert_array_equal(lists.vectors, stored[lists.labels])
    assert (lists.bounds[0], lists.bounds[-1], lists.grouped[-1]) == (0, 2 * COUNT, len(lists.centroids))
    list_of = np.repeat(np.arange(len(lists.centroids)), np.diff(lists.bounds))
    cosines = lists.vectors.astype(np.float32) @ lists.centroids.T.astype(np.float32)
    assert 0.45 < (cosines.argmax(axis=1) == list_of).mean() <= 0.5
    nearest = np.argpartition(-cosines, 16, axis=1)[:, :16]
    assert (nearest == list_of[:, np.newaxis]).any(axis=1).mean() > 0.95
    pairs = np.stack([list_of[lists.labels == label] for label in range(COUNT)])
    assert (pairs[:, 0] != pairs[:, 1]).all()


def test_the_second_list_is_near_and_parts_from_the_vector_another_way():
    """By hand, in the plane of x and y: the first centroid lies 10 degrees to the left; of the others, that 28 degrees
    to the left parts the same way, that 30 degrees upwards (z) another way.
    """
    def at(left, up):
        y, z = np.sin(np.radians([left, up]))
        return [np.sqrt(1 - y * y - z * z), y, z]

    vectors = np.array([[1, 0, 0]], np.float32)
    centroids = np.array([at(10, 0), at(28, 0), at(0, 30)], np.float32)
    cosines = vectors @ centroids.T
    assert second_lists(vectors, centroids, cosines, np.array([[0, 1, 2]])).tolist() == [2]
    assert second_lists(vectors, centroids, cosines[:, :2], np.array([[0, 1]])).tolist() == [1]
    assert second_lists(vectors, centroids, cosines[:, :2], np.array([[0, -1]])).tolist() == [-1]


def test_a_view_of_many_like_vectors_is_built(tmp_path):
    """Most lists of these would be empty."""
    stored = np.repeat(as_stored(unit_rows(5, 3)), 300, axis=0)
    lists, probes = build(stored, tmp_path)
    assert len(lists.centroids) <= 24
    assert (np.diff(lists.bounds) > 0).all()
    _, scores = IvfIndex(lists, probes=probes).search(stored[700].astype(np.float32), 20)
    np.testing.assert_allclose(scores, 1, atol=0.01)


def test_fewer_lists_find_as_much_when_each_vector_lies_in_two(stored, built, tmp_path):
    (twice, probes), (once, probes_once) = built, build(stored, tmp_path, twice=False)
    assert len(twice.vectors) == 2 * len(once.vectors) == 2 * COUNT
    assert all(probes[k] < probes_once[k] for k in (10, 100))


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 200])
def test_few_vectors_are_all_found(tmp_path, count):
    stored = as_stored(unit_rows(count, 5))
    lists, probes = build(stored, tmp_path)
    found, _ = IvfIndex(lists, probes=probes).search(unit_rows(1, 6)[0], 10)
    assert found.tolist() == by_hand(stored, unit_rows(1, 6)[0], 10)[0].tolist() or count > 64


def test_the_same_vectors_make_the_same_index(stored, tmp_path):
    contents = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        probes = build(stored, tmp_path / name)[1]
        contents.append((probes, {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}))
    assert contents[0] == contents[1]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=30), st.data())
@settings(max_examples=100, deadline=None)
def test_spans_are_their_positions_one_after_the_other(sizes, data):
    bounds = np.concatenate([[0], np.cumsum(sizes)])
    numbers = data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=20))
    right = itertools.chain.from_iterable(range(bounds[number], bounds[number + 1]) for number in numbers)
    assert spans(bounds, np.array(numbers, int)).tolist() == list(right)


@given(st.integers(1, 400), st.integers(1, 40), st.integers(1, 50), st.integers(0, 9))
@settings(max_examples=200, deadline=None)
def test_a_shortlist_holds_the_highest(hundreds, k, distinct, seed):
    """Also of scores among which many are equal."""
    random = np.random.default_rng(seed)
    scores = random.integers(0, distinct, 10 * hundreds + seed).astype(np.float32)
    near = shortlist(scores, k)
    assert (np.diff(near) > 0).all()
    assert len(near) >= min(k, len(scores))
    outside = np.delete(scores, near)
    assert len(outside) == 0 or outside.max() < np.sort(scores)[-k]


def test_a_shortlist_of_many_different_scores_is_short():
    assert 20 <= len(shortlist(np.random.default_rng(0).permutation(100_000).astype(np.float32), 20)) <= 40


def test_a_vector_in_two_lists_is_found_once(built, stored):
    lists, _ = built
    index = IvfIndex(lists, probes=dict.fromkeys(NEIGHBOURS, len(lists.centroids)))
    for query in unit_rows(5, 8):
        for k in (1, 10, 500):
            assert index.search(query, k)[0].tolist() == by_hand(stored, query, k)[0].tolist()


@pytest.mark.parametrize(("neighbours", "wanted"), [(3, 4), (10, 4), (31.6228, 8), (100, 16), (316.228, 32), (1000, 64),
                                                    (2000, 128), (10**6, 188)])
def test_lists_to_look_into_lie_between_the_measured(built, neighbours, wanted):
    lists = dataclasses.replace(built[0], centroids=np.zeros((188, DIMENSION), np.int8))
    assert IvfIndex(lists, probes={10: 4, 100: 16, 1000: 64})._probes(neighbours) == wanted


def test_equal_scores_keep_their_order():
    assert best_of(np.array([1, 3, 3, 2, 3], np.float32), 2).tolist() == [1, 2]
    assert best_of(np.array([1, 3], np.float32), 5).tolist() == [1, 0]
