import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.context import Context
from edge.errors import UsageError
from edge.recommend.event import MAX_ID_CHARACTERS, Event
from edge.recommend.feature_names import NAMES
from edge.recommend.recommender import Recommender
from edge.recommend.round import FEATURES, MAX_TEXT_BYTES, MOST_CANDIDATES, Round

NOTHING = Context()


def made(items=("a", "b"), propensities=(0.8, 0.2), place=10) -> Round:
    values = np.random.default_rng(3).normal(size=(len(items), len(NAMES)))
    return Round.of(tuple(items), place, np.array(propensities), np.linspace(0, 0.5, len(items)), values)


def test_what_is_written_is_read():
    one = made()
    assert Round.parse(one.text()) == one
    assert one.matrix() == pytest.approx(np.random.default_rng(3).normal(size=(2, len(NAMES))), rel=1e-3)
    assert one.matrix().dtype == np.float32


@given(st.lists(st.floats(1e-12, 1), min_size=2, max_size=MOST_CANDIDATES))
def test_a_propensity_is_kept_to_seven_digits_however_small(parts):
    shares = np.array(parts) / np.sum(parts)
    one = made([f"i{number}" for number in range(len(parts))], shares)
    assert Round.parse(one.text()).propensities == pytest.approx(shares, rel=1e-6, abs=0)


def test_the_longest_names_fit():
    names = [chr(0x1F600 + number) * MAX_ID_CHARACTERS for number in range(MOST_CANDIDATES)]
    share = np.full(MOST_CANDIDATES, 1 / MOST_CANDIDATES)
    text = made(names, share, 1000).text()
    assert len(text.encode()) <= MAX_TEXT_BYTES
    assert Round.parse(text).items == tuple(names)
    quoted = made(['"' * (MAX_ID_CHARACTERS - 1) + str(number) for number in range(MOST_CANDIDATES)], share).text()
    assert len(quoted.encode()) <= MAX_TEXT_BYTES


@pytest.mark.parametrize(("change", "said"), [
    ({"place": 0}, "place"), ({"place": True}, "place"), ({"items": []}, "items"), ({"items": ["a", "a"]}, "different"),
    ({"items": ["a", "b\n"]}, "names"), ({"items": list("abcdefg")}, "items"),
    ({"propensities": [0.8]}, "propensities"), ({"propensities": [0.8, 0.1]}, "add up"),
    ({"propensities": [1.0, 0.0]}, "above 0"),
    ({"propensities": [0.8, float("nan")]}, "0 to 10"), ({"exposures": ["x", 1]}, "exposures"),
    ({"features": "x"}, "hexadecimal"), ({"values": "%"}, "base64"), ({"values": "AAAA"}, "half floats"),
    ({"values": 3}, "half floats"), ({"more": 1}, "exactly"),
])  # fmt: skip
def test_anything_else_is_told(change, said):
    with pytest.raises(UsageError, match=said):
        Round.from_table(json.loads(made().text()) | change)


def test_values_that_are_no_numbers_are_told():
    broken = Round.of(("a", "b"), 1, np.array([0.5, 0.5]), np.zeros(2), np.full((2, len(NAMES)), np.nan))
    with pytest.raises(UsageError, match="finite"):
        Round.parse(broken.text())


def test_another_versions_features_are_kept_as_they_are():
    assert FEATURES != "0" * 8
    table = json.loads(made().text()) | {"features": "0" * 8, "values": "ADwAQABCAEQ="}  # 1, 2, 3, 4 as half floats
    assert Round.from_table(table).matrix().tolist() == [[1, 2], [3, 4]]


def test_only_an_impression_of_its_items_is_drawn_from_it(history):
    for event in (Event("e", "anna", "a", "like"), Event("e", "anna", "c", "impression")):
        with pytest.raises(UsageError, match="only an impression"):
            history.add(event, made())
    assert history.users() == []
    assert history.add(Event("e", "anna", "a", "impression"), made())
    assert history.rounds("anna") == {"e": made()}


@pytest.fixture
def exploring(snapshot, history):
    """Half of its lists of ten end with something of Ben's, which counts as new."""
    recommender = Recommender(snapshot, history, exploration=0.05, gini_bound=1.0)
    recommender._lookup.unplayed = recommender._lookup.groups == recommender._lookup.groups[12]  # Ben's
    return recommender


def listed(exploring, history, hearing):
    """The first list, of those that differ in the draw alone, that ends with something to be tried."""
    for number in range(40):
        found = exploring.recommend(hearing(0), user="anna", k=10)
        if found[-1].propensity is not None:
            return found
        history.add(Event(f"e{number}", "anna", "shot-0", "impression", None, 1e9))
    raise AssertionError("forty lists without a draw")


def test_the_recommender_tells_what_a_place_was_drawn_from(exploring, history, hearing):
    found = listed(exploring, history, hearing)
    assert exploring.drawn_from("anna", found[0].item) is None
    assert exploring.drawn_from("ben", found[-1].item) is None
    drawn = exploring.drawn_from("anna", found[-1].item)
    at = drawn.items.index(found[-1].item)
    assert drawn.place == 10
    assert drawn.propensities[at] == pytest.approx(found[-1].propensity, abs=1e-6)
    assert drawn.propensities[0] == pytest.approx(0.5)
    assert sum(drawn.propensities) == pytest.approx(1, abs=1e-5)
    assert [name.split("-")[0] for name in drawn.items[1:]] == ["ben"] * 5
    assert drawn.items[0].startswith("ada")
    score = exploring._ranker.score(drawn.matrix()[at : at + 1])[0] - drawn.exposures[at]
    assert 1 / (1 + np.exp(-score)) == pytest.approx(found[-1].score, abs=2e-3)
    assert exploring.drawn_from("anna", found[-1].item) is None  # told once


def test_a_list_may_be_shown_when_the_next_is_made_already(exploring, history, hearing):
    lists = ((0, 10), (3, 9), (3, 9), (5, 8))
    lasts = [exploring.recommend(hearing(row), user="anna", k=k)[-1].item for row, k in lists]
    assert len({*lasts}) == 3
    assert [exploring.drawn_from("anna", item).place for item in (lasts[1], lasts[0], lasts[3])] == [9, 10, 8]
    for row in range(6):
        last = exploring.recommend(hearing(row), user="ben", k=10 - row)[-1].item
    assert len(exploring._drawn["ben"]) == 4
    assert exploring.drawn_from("ben", last).place == 5


def test_a_list_without_chance_has_no_round(snapshot, history, hearing):
    certain = Recommender(snapshot, history, exploration=0.0)
    found = certain.recommend(hearing(0), user="anna", k=10)
    assert all(certain.drawn_from("anna", one.item) is None for one in found)


def test_what_was_drawn_is_forgotten_with_the_user(exploring, history, hearing):
    found = listed(exploring, history, hearing)
    history.forget("anna")
    assert exploring.drawn_from("anna", found[-1].item) is None
