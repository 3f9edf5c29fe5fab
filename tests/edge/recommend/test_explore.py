import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.recommend.explore import DRAWN_FROM, SHARE, explore, seed_of

PLACES, CANDIDATES, LISTS = 10, 60, 4000


@pytest.fixture(scope="module")
def drawn():
    """Many lists of ten from sixty candidates of falling score, of which every second is new, and the first ten not."""
    scores, new = np.linspace(1, 0, CANDIDATES), np.arange(CANDIDATES) % 2 == 1
    new[:PLACES] = False
    chosen = np.arange(PLACES)
    return [explore(chosen, scores, new, share=SHARE, seed=seed_of("list", number)) for number in range(LISTS)]


def test_new_items_get_their_share_of_the_places(drawn):
    found = np.mean([draw.explored for _, draw in drawn]) / PLACES
    deviation = np.sqrt(SHARE * PLACES * (1 - SHARE * PLACES) / LISTS) / PLACES
    assert abs(found - SHARE) < 4 * deviation


def test_each_of_the_best_new_ones_is_drawn_as_often_as_its_propensity_says(drawn):
    last = np.array([chosen[-1] for chosen, draw in drawn if draw.explored])
    counts = np.bincount(last, minlength=CANDIDATES)
    best = np.arange(PLACES + 1, PLACES + 1 + 2 * DRAWN_FROM, 2)
    assert counts.sum() == counts[best].sum()
    expected = LISTS * SHARE * PLACES / DRAWN_FROM
    assert (np.abs(counts[best] - expected) < 4.5 * np.sqrt(expected)).all()
    told = [1 - SHARE * PLACES, *[SHARE * PLACES / DRAWN_FROM] * DRAWN_FROM]
    for chosen, draw in drawn:
        assert draw.candidates.tolist() == [PLACES - 1, *best]
        assert draw.propensities == pytest.approx(told)
        assert chosen[-1] == draw.candidates[draw.shown]
        assert draw.explored == (draw.shown > 0)


@given(st.integers(1, 12), st.lists(st.booleans(), min_size=12, max_size=40),
       st.just(0.0) | st.floats(1e-9, 1), st.integers(0, 2**63))
def test_only_the_last_place_changes_and_only_to_something_new(places, new, share, seed):
    scores, new = np.random.default_rng(seed).normal(size=len(new)), np.array(new)
    chosen = np.argsort(-scores)[:places]
    list_, draw = explore(chosen, scores, new, share=share, seed=seed)
    again, _ = explore(chosen, scores, new, share=share, seed=seed)
    assert list_.tolist() == again.tolist()
    assert len(set(list_.tolist())) == places
    assert list_[:-1].tolist() == chosen[:-1].tolist()
    if draw is None:
        assert list_.tolist() == chosen.tolist()
        assert share == 0 or new[chosen].any() or not new[np.setdiff1d(np.arange(len(new)), chosen)].any()
        return
    assert not new[chosen].any()
    assert list_[-1] == draw.candidates[draw.shown]
    assert draw.explored == new[list_[-1]] == (list_[-1] != chosen[-1])
    assert draw.propensities.min() > 0
    assert draw.propensities.sum() == pytest.approx(1)
    assert draw.propensities[new[draw.candidates]].sum() == pytest.approx(min(1, share * places))


def test_the_seed_is_the_same_everywhere():
    assert seed_of(0, "anna", 7) == 17161879878341994900
