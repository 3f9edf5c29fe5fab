import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.recommend.event import EVENTS, Event
from edge.recommend.influence import DAY_BUDGET, SESSION_BUDGET, USUAL, bounded, fading, long_term
from edge.recommend.records import MAX_ITEMS, Records
from edge.recommend.signals import strengthen


def event(kind: str, time_s: float = 0.0, value: float | None = None) -> Event:
    return Event("id", "anna", "item", kind, value, time_s)


def taken(*steps: tuple[int, str, float]) -> Records:
    records = Records()
    for row, kind, time_s in steps:
        records.take(row, event(kind, time_s))
    return records


@pytest.mark.parametrize(
    ("kinds", "strength"),
    [
        (["play"], 0.2),
        (["play", "finish"], 0.7),
        (["play", "skip"], -0.2),
        (["like"], 1.0),
        (["dislike"], -1.0),
        (["like", "dislike"], -1.0),
        (["dislike", "like"], 1.0),
        (["impression"] * 9, 0.0),
        (["like", "skip"], 0.6),
        (["like", "finish"], 1.0),
        (["dislike", "skip"], -1.0),
        (["finish"] * 9, 0.8),
        (["skip"] * 9, -0.8),
    ],
)
def test_strengths(kinds, strength):
    found = 0.0
    for kind in kinds:
        found = strengthen(found, event(kind))
    assert found == pytest.approx(strength)


@pytest.mark.parametrize(("seconds", "strength"), [(0, 0.0), (30, 0.2), (60, 0.4), (1e9, 0.4)])
def test_dwelling_counts_up_to_a_minute(seconds, strength):
    assert strengthen(0.0, event("dwell", value=seconds)) == pytest.approx(strength)


def test_the_last_touched_is_the_last():
    records = taken((5, "play", 0), (7, "play", 10), (5, "finish", 20))
    assert records.table["row"].tolist() == [7, 5]
    assert records.table["strength"] == pytest.approx([0.2, 0.7])
    assert EVENTS[records.table["event"][1]] == "finish"


def test_half_an_hour_of_nothing_ends_a_session():
    records = taken((1, "play", 0), (2, "play", 1799), (3, "play", 4000))
    assert records.table["session"].tolist() == [1, 1, 2]


def test_what_is_shown_neither_begins_a_session_nor_keeps_one_going():
    steps = [(1, "play", 0), *((2, "impression", 600 * number) for number in range(7)), (3, "play", 4200)]
    assert taken(*steps).table["session"].tolist() == [1, 2]
    assert taken((2, "impression", 0), (1, "play", 9000), (2, "impression", 0), (3, "play", 9001)).table[
        "session"].tolist() == [1, 1]  # fmt: skip


def test_a_clock_that_jumps_back_does_not_reorder():
    records = taken((1, "play", 1e9), (2, "play", 5.0), (3, "play", 1e9))
    assert records.table["row"].tolist() == [1, 2, 3]


def test_impressions_are_counted_and_change_nothing_else():
    records = taken((1, "impression", 0), (2, "impression", 0), (1, "impression", 0))
    assert len(records.table) == 0
    assert sorted(records.impressions()) == [1, 1, 2]


def test_memory_is_bounded_and_the_oldest_go():
    records = Records()
    for row in range(MAX_ITEMS + 100):
        records.take(row, event("play", float(row)))
        records.take(row, event("impression", float(row)))
    assert records.table["row"].tolist() == list(range(100, MAX_ITEMS + 100))
    assert records.nbytes <= 48 << 10


steps = st.lists(st.tuples(st.integers(0, 30), st.sampled_from(EVENTS), st.floats(0, 1e6)), max_size=60)


@given(steps)
def test_each_item_has_one_record_and_a_bounded_strength(steps):
    records = Records()
    for row, kind, time_s in steps:
        records.take(row, event(kind, time_s, value=1.0))
    rows = records.table["row"]
    assert len(set(rows.tolist())) == len(rows)
    assert (np.abs(records.table["strength"]) <= 1).all()


@given(steps)
def test_no_session_and_no_day_weighs_more_than_its_limit(steps):
    records = Records()
    for row, kind, time_s in steps:
        records.take(row, event(kind, time_s, value=1.0))
    weights = bounded(records.table)
    for period, budget in (("session", SESSION_BUDGET), ("day", DAY_BUDGET)):
        for sign in (1, -1):
            before = sums(records.table[period], np.maximum(sign * records.table["strength"], 0))
            others = np.sort(before[before > 0])[:-1]
            limit = max(budget, USUAL * np.median(others) if len(others) else 0)
            assert (sums(records.table[period], np.maximum(sign * weights, 0)) <= limit + 1e-4).all()


def sums(period: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.bincount(np.unique(period, return_inverse=True)[1], weights)


def test_a_night_of_unattended_playing_is_cut_to_thrice_an_evening():
    evenings = [(row, "like", day * 1e5 + row) for day in range(5) for row in range(day * 10, day * 10 + 10)]
    night = [(row, "like", 9e5 + row) for row in range(100, 300)]
    records = taken(*evenings, *night)
    weights = bounded(records.table)
    assert weights[:50].tolist() == [1.0] * 50
    assert weights[50:].sum() == pytest.approx(30, rel=1e-4)


def test_an_evening_is_taken_as_it_is():
    records = taken(*((row, "like", 10.0 * row) for row in range(8)))
    assert bounded(records.table).tolist() == [1.0] * 8


def test_what_came_later_counts_more():
    assert fading(3, 1.0) == pytest.approx([np.exp(-2), np.exp(-1), 1.0])
    weights = long_term(bounded(taken((1, "like", 0), (2, "like", 1)).table))
    assert weights[0] < weights[1] == 1.0
