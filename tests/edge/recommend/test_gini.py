from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.recommend.gini import gini, rerank


@pytest.mark.parametrize(
    ("exposures", "expected"),
    [([1, 1, 1, 1], 0.0), ([0, 0, 0, 1], 0.75), ([1, 3], 0.25), ([1, 2, 3, 4, 5], 4 / 15), ([0, 0], 0.0), ([], 0.0)],
)
def test_known_values(exposures, expected):
    assert gini(np.array(exposures)) == pytest.approx(expected)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40).filter(any))
def test_equals_the_mean_absolute_difference(values):
    x = np.array(values)
    expected = np.abs(x[:, None] - x[None, :]).sum() / (2 * len(x) ** 2 * x.mean())
    assert gini(x) == pytest.approx(expected, abs=1e-9)


def test_a_bound_of_one_is_the_order_by_score():
    scores = np.array([0.2, 0.9, 0.5, 0.7])
    assert rerank(scores, np.zeros(4, int), 3, bound=1.0).tolist() == [1, 3, 2]


def test_a_bound_of_zero_alternates():
    scores = np.array([0.9, 0.8, 0.7, 0.2, 0.1, 0.0])
    groups = np.array([5, 5, 5, 8, 8, 8])
    chosen = rerank(scores, groups, 4, bound=0.0)
    assert np.bincount(groups[chosen])[[5, 8]].tolist() == [2, 2]
    assert chosen[0] == 0


lists = st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 6)), max_size=40)


@given(lists, st.integers(1, 15), st.floats(0, 1))
def test_a_list_is_bounded_complete_and_without_repeats(candidates, k, bound):
    scores = np.array([score for score, _ in candidates])
    groups = np.array([group for _, group in candidates], int)
    chosen = rerank(scores, groups, k, bound=bound)
    assert len(chosen) == len(set(chosen.tolist())) == min(k, len(candidates))
    if candidates:
        found = exposure_gini(groups, chosen, k)
        assert found <= max(bound, exposure_gini(groups, rerank(scores, groups, k, bound=0.0), k)) + 1e-9


def exposure_gini(groups: np.ndarray, chosen: np.ndarray, k: int) -> float:
    width = min(len(chosen), len(np.unique(groups)))
    return gini(np.sort(np.bincount(groups[chosen], minlength=width))[-width:])


def test_nothing_better_that_keeps_the_bound_comes_first():
    """The first place goes to the best score of all lists that keep the bound (checked by trying all)."""
    rng = np.random.default_rng(2)
    for _ in range(30):
        scores, groups = rng.normal(size=6), rng.integers(0, 3, 6)
        chosen = rerank(scores, groups, 4, bound=0.3)
        kept = [p for p in permutations(range(6), 4) if exposure_gini(groups, np.array(p), 4) <= 0.3]
        if kept:
            assert scores[chosen[0]] == max(scores[p[0]] for p in kept)
