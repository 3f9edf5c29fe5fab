import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.recommend.features import _place


def test_places_by_hand():
    assert _place(np.array([3.0, 9.0, 5.0])) == pytest.approx([0.0, 1.0, 1 - np.log(2) / np.log(3)])


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=20), st.randoms())
def test_a_place_depends_on_the_score_and_on_nothing_else(scores, random):
    order = list(range(len(scores)))
    random.shuffle(order)
    values = np.array(scores, float)
    assert _place(values)[order] == pytest.approx(_place(values[order]))
    for score in set(scores):
        assert np.ptp(_place(values)[values == score]) == 0
