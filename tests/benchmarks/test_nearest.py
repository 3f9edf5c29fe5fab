"""The comparison of searches: truth is truth, settings are the cheapest that find enough, ratios are over ours."""

import numpy as np
import pytest

from benchmarks import nearest, nearest_peers
from edge import firmware


@pytest.fixture
def vectors():
    drawn = np.random.default_rng(0).standard_normal((400, 16), np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def test_exact_search_finds_all_and_another_answer_less(vectors):
    queries = vectors[:20]
    right = nearest._nearest(vectors, queries)
    assert all(number in best for number, best in enumerate(right))
    search, _ = nearest_peers.numpy_float(vectors, lambda _: 0, None)
    assert nearest._recall(search, queries, right) == 1
    assert nearest._recall(lambda query: np.argsort(-(vectors @ query))[5:15], queries, right) == 0.5


@pytest.mark.parametrize(("needed", "found"), [(1, 10), (16, 16), (17, 20), (60, 64), (33, 40), (2000, 1024)])
def test_the_cheapest_setting_that_finds_enough_is_taken(vectors, needed, found):
    queries = vectors[:20]

    def with_setting(setting):
        return lambda query: np.argsort(-(vectors @ query))[: 10 if setting >= needed else 9]

    assert nearest._until(nearest._nearest(vectors, queries), queries)(with_setting) == found


@pytest.mark.parametrize(("name", "library"), [("faiss_flat", "faiss"), ("usearch", "usearch"),
                                               ("hnswlib", "hnswlib"), ("sqlite_vec", "apsw")])
def test_each_library_finds_its_neighbours_and_keeps_its_index(vectors, tmp_path, name, library):
    pytest.importorskip(library)
    right = nearest._nearest(vectors, vectors[:20])
    settle = nearest._until(right, vectors[:20])
    search, figures = getattr(nearest_peers, name)(vectors, settle, tmp_path)
    assert nearest._recall(search, vectors[:20], right) >= 0.95
    assert figures["mib"] > 0
    again, _ = getattr(nearest_peers, name)(vectors, settle, tmp_path)
    assert set(np.asarray(again(vectors[0])).tolist()) == set(np.asarray(search(vectors[0])).tolist())


def test_rows_are_beside_ours(monkeypatch):
    monkeypatch.setattr(nearest, "SIZES", (2000,))
    monkeypatch.setattr(nearest, "PEERS", {"numpy float32, exact": nearest_peers.numpy_float})
    ours, numpy = nearest.run(firmware.load("workstation"), peers=True)
    assert (ours.name, numpy.name) == ("2,000: roomtone", "2,000: numpy float32, exact")
    assert ours.figures["slower"] == 1
    assert numpy.figures["slower"] == pytest.approx(numpy.figures["median_ms"] / ours.figures["median_ms"])
    assert (numpy.figures["recall"], ours.figures["recall"] > 0.9) == (1, True)
