import io
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.recommend.event import EVENTS, Event
from edge.recommend.exchange import BATCH_LINES, MAX_LINE_BYTES, MOST_REFUSED, export_lines, import_lines
from edge.recommend.feature_names import NAMES
from edge.recommend.history import History
from edge.recommend.round import Round


def event(number: int, user: str = "anna", **fields) -> Event:
    return Event(f"id-{number}", user, **{"item": f"track-{number}", "event": "play", "time_s": float(number)} | fields)


def lines(*events: Event) -> io.BytesIO:
    return io.BytesIO("".join(f"{one.line()}\n" for one in events).encode())


def test_lines_out_are_lines_in(history, tmp_path):
    written = [event(1), event(2, "bø 🎧 مرحبا", event="dwell", value=12.5), event(3)]
    history.add_all(written)
    out = list(export_lines(history))
    file = "\n".join([*out, "", "  \r"]).encode()
    with History(tmp_path / "copy.sqlite") as copy:
        done = import_lines(copy, io.BytesIO(file))
        assert (done.new, done.known, done.refused) == (3, 0, [])
        again = import_lines(copy, io.BytesIO(file))
        assert (again.new, again.known, again.refused) == (0, 3, [])
        assert list(export_lines(copy)) == out
        assert list(export_lines(copy, "anna")) == [event(1).line(), event(3).line()]


def test_bad_lines_are_told_with_their_numbers_and_the_others_kept(history):
    history.add(event(7))
    good = event(1).line().encode()
    file = b"\n".join([
        good, b"{", b"[]", good.replace(b"play", b"lick"), b"\xff\xfe", b"", b"x" * (3 * MAX_LINE_BYTES),
        event(7, item="other").line().encode(), b'{"id": "a", "user": "b", "item": "c"}',
        good.replace(b"id-1", b"id-2").replace(b"1.0", b"NaN"), event(3).line().encode()])  # fmt: skip
    done = import_lines(history, io.BytesIO(file))
    assert (done.new, done.known, done.refused_count) == (2, 0, 8)
    told = dict(done.refused)
    assert list(told) == [2, 3, 4, 5, 7, 8, 9, 10]
    for line, words in ((2, "JSON"), (4, "lick"), (5, "UTF-8"), (7, "longer"), (8, "id-7"), (9, "event is missing"),
                        (10, "time_s")):  # fmt: skip
        assert words in told[line]
    assert history.events("anna") == [event(7), event(1), event(3)]


def test_a_long_file_is_taken_in_by_parts(history):
    seen = []
    count = 2 * BATCH_LINES + 10
    done = import_lines(history, lines(*map(event, range(count))), on_progress=seen.append)
    assert seen == [BATCH_LINES, 2 * BATCH_LINES, count]
    assert done.new == len(history.events("anna")) == count


def test_what_was_counted_stays_when_the_rest_cannot_be_read(history):
    class Torn(io.BytesIO):
        def readline(self, size=-1):
            line = super().readline(size)
            if b"id-1500" in line:
                raise OSError(5, "the stick was pulled out")
            return line

    with pytest.raises(OSError, match="stick"):
        import_lines(history, Torn(lines(*map(event, range(2000))).getvalue()))
    assert len(history.events("anna")) == BATCH_LINES


def test_endless_rubbish_is_counted_and_not_remembered(history):
    done = import_lines(history, io.BytesIO(b"?\n" * (MOST_REFUSED + 500)))
    assert (done.refused_count, len(done.refused)) == (MOST_REFUSED + 500, MOST_REFUSED)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.binary(max_size=80), st.builds(
    lambda number, kind, value: json.dumps(
        {"id": f"i{number}", "user": "u", "item": "t", "event": kind, "value": value}).encode(),
    st.integers(0, 9), st.sampled_from((*EVENTS, "lick")), st.none() | st.floats() | st.integers())), max_size=30))
def test_whatever_the_bytes_every_line_is_kept_known_refused_or_blank(tmp_path_factory, parts):
    file = b"\n".join(parts)
    with History(tmp_path_factory.mktemp("fuzz") / "history.db") as history:
        done = import_lines(history, io.BytesIO(file))
        blank = sum(not line.strip() for line in [*file.splitlines(), b""])
        assert done.new == len(history.events("u"))
        assert done.new + done.known + done.refused_count <= len(io.BytesIO(file).readlines()) <= (
            done.new + done.known + done.refused_count + blank)


def test_a_user_whose_only_line_is_refused_does_not_hold_up_the_others(tmp_path):
    """Found by fuzzing: there was nothing of that user's to look at."""
    with History(tmp_path / "history.db") as history:
        history.add(Event("1", "anna", "track:1", "like", None, 1.0))
        lines = [Event("2", "anna", "track:2", "like", None, 2.0), Event("1", "ben", "track:1", "like", None, 1.0)]
        done = import_lines(history, io.BytesIO("\n".join(event.line() for event in lines).encode()))
        assert (done.new, done.refused_count, history.users()) == (1, 1, ["anna"])


def test_what_an_impression_was_drawn_from_goes_along(history, tmp_path):
    drawn = Round.of(("track-1", "ø 🎧"), 3, np.array([0.75, 0.25]), np.zeros(2), np.ones((2, len(NAMES))))
    history.add(event(1, event="impression"), drawn)
    history.add(event(2))
    out = list(export_lines(history))
    assert json.loads(out[0])["drawn_from"]["propensities"] == [0.75, 0.25]
    assert json.loads(out[1]) == json.loads(event(2).line())
    bad = [out[0].replace("id-1", "x").replace("0.75", "0.85"),
           out[0].replace("id-1", "y").replace("impression", "like"),
           out[1].replace("id-2", "z")[:-1] + ', "drawn_from": 5}']  # fmt: skip
    with History(tmp_path / "copy.sqlite") as copy:
        done = import_lines(copy, io.BytesIO("\n".join([*out, *bad]).encode()))
        assert (done.new, [number for number, _ in done.refused]) == (2, [3, 4, 5])
        assert list(export_lines(copy)) == out
        assert copy.rounds("anna") == {"id-1": drawn}
