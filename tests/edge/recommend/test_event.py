import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import UsageError
from edge.recommend.event import EVENTS, Event, check, is_name, parse

GOOD = Event(id="1", user="anna", item="track-7", event="like", value=None, time_s=1.7e9)


def test_a_line_has_the_fields_that_scripts_rely_on():
    assert json.loads(GOOD.line()) == {
        "id": "1", "user": "anna", "item": "track-7", "event": "like", "value": None, "time_s": 1.7e9,
    }  # fmt: skip


printable = st.text(min_size=1, max_size=128).filter(is_name)
numbers = st.floats(0, 1e12) | st.none()


@given(st.builds(Event, printable, printable, printable, st.sampled_from(EVENTS), st.floats(0, 1e12), numbers))
def test_a_line_comes_back_as_it_went(event):
    assert parse(event.line()) == event


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_other_line_is_refused_with_a_sentence(line):
    with pytest.raises(UsageError):
        parse(line)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""), ("id", "x" * 129), ("id", 7), ("user", "a\nb"), ("user", "\x00"), ("user", "\ud800"),
        ("item", None), ("event", "lik"), ("event", None), ("value", math.nan), ("value", math.inf),
        ("value", -1), ("value", True), ("value", "3"), ("time_s", -1.0), ("time_s", 1e300), ("time_s", []),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(field, value):
    with pytest.raises(UsageError, match=field):
        check(Event(**{**vars(GOOD), field: value}))


def test_dwell_needs_its_seconds():
    with pytest.raises(UsageError, match="dwell needs a value"):
        check(Event("1", "anna", "track", "dwell"))


@pytest.mark.parametrize(
    ("line", "said"),
    [("[1]", "JSON object"), ("{}", "id is missing"), ('{"id": "1", "colour": 2}', "unknown key 'colour'"),
     ("[" * 100_000, "JSON object")],
)  # fmt: skip
def test_a_bad_line_says_why(line, said):
    with pytest.raises(UsageError, match=said):
        parse(line)


def test_a_message_without_a_time_repeats_one_with_any():
    assert Event("1", "anna", "track-7", "like").same_as(GOOD)
    assert not Event("1", "anna", "track-7", "like", time_s=5.0).same_as(GOOD)
    assert not Event("1", "anna", "track-8", "like").same_as(GOOD)
