"""What a household does without meaning it does not wreck the taste: the influence of whatever happens is bounded."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.recommend.event import EVENTS, Event
from edge.recommend.influence import DAY_BUDGET, SESSION_BUDGET, USUAL, bounded, long_term, short_term
from edge.recommend.records import DAY_S, MAX_ITEMS, Records
from edge.recommend.signals import SESSION_LIMIT

EVENINGS, EACH = 6, 8
FAVOURITES = EVENINGS * EACH
AFTER_S = 1e9 + EVENINGS * DAY_S
ROWS = 5000


def evenings() -> Records:
    """Six evenings of eight liked items each, rows 0 to 47."""
    records = Records()
    for row in range(FAVOURITES):
        records.take(row, event("like", 1e9 + row // EACH * DAY_S + row % EACH * 200))
    return records


def event(kind: str, time_s: float) -> Event:
    return Event("id", "anna", "item", kind, 30.0 if kind == "dwell" else None, time_s)


def favourites(records: Records) -> np.ndarray:
    """The long-term weights of what is left of the favourites."""
    return long_term(bounded(records.table))[records.table["row"] < FAVOURITES]


def share(records: Records) -> float:
    """Of all long-term weight, the favourites'."""
    weights = np.abs(long_term(bounded(records.table)))
    return float(weights[records.table["row"] < FAVOURITES].sum() / weights.sum())


def burst(seed: int, count: int, *, rows: tuple[int, int], kinds: Iterable[str] = EVENTS) -> Records:
    """The six evenings, then ``count`` random events within one session."""
    records, random, kinds = evenings(), np.random.default_rng(seed), tuple(kinds)
    for number in range(count):
        kind = kinds[random.integers(len(kinds))]
        records.take(int(random.integers(*rows)), event(kind, AFTER_S + 3600 * number / count))
    return records


seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(1, 2 * MAX_ITEMS))
def test_a_burst_of_random_events_leaves_a_quarter_of_the_taste(seed, count):
    records = burst(seed, count, rows=(FAVOURITES, ROWS))
    assert (favourites(records) > 0).sum() == FAVOURITES
    assert share(records) > 0.25


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(1, 600))
def test_a_childs_hour_of_skips_turns_no_favourite_away(seed, count):
    records = burst(seed, count, rows=(0, FAVOURITES), kinds=["skip"])
    strengths = records.table["strength"]
    assert strengths.min() >= 1 - SESSION_LIMIT - 1e-6
    assert (favourites(records) > 0).all()


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(1, 300))
def test_an_hour_of_skips_of_other_things_outweighs_no_evening_many_times(seed, count):
    weights = bounded(burst(seed, count, rows=(FAVOURITES, ROWS), kinds=["skip"]).table)
    assert -weights[weights < 0].sum() <= max(SESSION_BUDGET, DAY_BUDGET) + 1e-4


@pytest.mark.parametrize("tracks", [12, 150, 2000])
def test_a_night_of_unattended_playing_counts_as_three_evenings(tracks):
    records = evenings()
    for number in range(tracks):
        for kind in ("play", "finish"):
            records.take(FAVOURITES + number, event(kind, AFTER_S + number * 8 * 3600 / tracks))
    night = bounded(records.table)[records.table["row"] >= FAVOURITES]
    assert night.sum() <= USUAL * EACH + 1e-3
    assert share(records) > 0.25


@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.floats(0, 1e5)), min_size=1, max_size=40))
def test_one_event_moves_one_item_and_a_session_of_deeds_no_further_than_its_limit(steps):
    records = Records()
    records.take(1, event("like", 0.0))
    before, session, word = 1.0, 0, 1.0
    for kind, time_s in sorted(steps, key=lambda step: step[1]):
        records.take(7, event(kind, time_s))
        other, own = (records.table[records.table["row"] == row]["strength"] for row in (1, 7))
        assert other.tolist() == [1.0]
        if kind == "impression":
            continue
        if records.table["session"][-1] != session or kind in ("like", "dislike", "share"):
            session, word = int(records.table["session"][-1]), float(own[0])
            before = word
        assert abs(float(own[0]) - before) <= 2 * SESSION_LIMIT + 1e-6
        assert -1 <= own[0] <= 1


def test_many_sessions_of_skips_do_turn_a_favourite_away():
    records = evenings()
    for day in range(3):
        records.take(3, event("skip", AFTER_S + day * DAY_S))
    assert records.table["strength"][-1] == pytest.approx(-0.2)


def test_an_explicit_word_counts_whatever_was_done_before():
    records = evenings()
    for kind in ("skip", "skip", "skip", "skip", "dislike", "finish"):
        records.take(3, event(kind, AFTER_S))
    assert records.table["strength"][-1] == pytest.approx(-0.5)


def test_a_burst_takes_half_of_the_memory_at_most():
    records = burst(1, 10 * MAX_ITEMS, rows=(FAVOURITES, 10 * MAX_ITEMS), kinds=["play"])
    assert len(records.table) == MAX_ITEMS
    assert (records.table["row"] < FAVOURITES).sum() == FAVOURITES


def test_a_refusal_says_half_of_what_a_wish_says_about_other_items():
    records = Records()
    records.take(1, event("like", AFTER_S))
    records.take(2, event("dislike", AFTER_S))
    assert records.table["strength"].tolist() == [1.0, -1.0]
    assert long_term(bounded(records.table)).tolist() == pytest.approx([np.exp(-1 / 15), -0.5])
    assert short_term(bounded(records.table)).tolist() == pytest.approx([np.exp(-1 / 5), -0.5])
