import numpy as np
import pytest

from edge.errors import SnapshotError
from edge.recommend.neighbours import Neighbours

ITEMS, WIDTH = 30, 6


@pytest.fixture
def table():
    random = np.random.default_rng(1)
    rows = random.integers(0, ITEMS, (ITEMS, WIDTH), dtype=np.int32)
    weights = random.integers(-127, 128, (ITEMS, WIDTH), dtype=np.int8)
    scale = random.random(ITEMS, np.float32)
    dense = np.zeros((ITEMS, ITEMS))
    for source in range(ITEMS):
        for target, weight in zip(rows[source], weights[source], strict=True):
            dense[source, target] += float(weight) * scale[source] / 127
    return Neighbours(rows, weights, scale, name="test"), dense


def test_scores_are_the_product_with_the_whole_matrix(table):
    neighbours, dense = table
    rows, weights = np.array([3, 8, 21]), np.array([1.0, -0.4, 0.2], np.float32)
    assert neighbours.scores(rows, weights) == pytest.approx(weights @ dense[rows], abs=1e-5)


def test_what_pulls_a_target_adds_up_to_its_score(table):
    neighbours, dense = table
    rows, weights = np.arange(0, ITEMS, 2), np.linspace(-1, 1, ITEMS // 2, dtype=np.float32)
    targets = np.array([5, 0, 29])
    pulls = neighbours.pull(rows, weights, targets)
    assert pulls == pytest.approx((weights[:, np.newaxis] * dense[np.ix_(rows, targets)]).T, abs=1e-5)
    assert pulls.sum(axis=1) == pytest.approx(neighbours.scores(rows, weights)[targets], abs=1e-5)


def test_a_neighbour_that_there_is_not_is_refused():
    with pytest.raises(SnapshotError, match=r"test: its rows must lie in 0 to 1"):
        Neighbours(np.array([[1], [2]], np.int32), np.ones((2, 1), np.int8), np.ones(2, np.float32), name="test")
