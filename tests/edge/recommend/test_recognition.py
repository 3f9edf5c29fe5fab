"""Which recording is heard, or which shot is seen, is worked out once for each context, and said when it is sure."""

from types import SimpleNamespace

import numpy as np
import pytest

from edge.catalog.recording import sureness
from edge.context import Context
from edge.recommend.recognition import Match, Recogniser, recognise_shot


class Recordings:
    """Two recordings, the first of which is heard for sure; counts how often it is asked."""

    asked = 0
    least_sureness = 0.6

    def match(self, windows, k, starts_s=None):
        self.asked += 1
        return np.array([4, 2], np.int32), np.array([0.95, 0.5], np.float32)


def test_a_context_is_looked_up_once_and_a_new_one_anew():
    recordings = Recordings()
    recogniser = Recogniser(SimpleNamespace(recordings=recordings))
    first, second = (Context(windows={"recording": np.zeros((3, 8), np.float32)}) for _ in range(2))
    assert [recogniser.match(first) for _ in range(3)] == [Match(4, float(np.float32(0.95)))] * 3
    assert recordings.asked == 1
    recogniser.match(second)
    recogniser.match(first)
    assert recordings.asked == 3


def test_how_sure_it_is_by_hand():
    assert sureness(np.array([0.9, 0.6])) == pytest.approx(0.6)
    assert sureness(np.array([0.9, 0.1])) == pytest.approx(0.7)
    assert sureness(np.array([0.9])) == pytest.approx(0.7)


def test_one_that_is_hardly_better_than_the_next_is_not_named():
    recordings = Recordings()
    recordings.least_sureness = 0.71
    snapshot = SimpleNamespace(recordings=recordings, shots=None)
    assert Recogniser(snapshot).match(Context(windows={"recording": np.zeros((3, 8), np.float32)})) is None


def test_that_nothing_is_recognised_is_remembered_too():
    recordings = Recordings()
    recogniser = Recogniser(SimpleNamespace(recordings=recordings))
    short = Context(windows={"recording": np.zeros((1, 8), np.float32)})
    assert [recogniser.match(short) for _ in range(2)] == [None, None]
    assert recordings.asked == 0


class Shots:
    """Knows one picture each of shots 7 and 8."""

    pictures = np.eye(4, dtype=np.float32)[:2]

    def match(self, windows, k):
        scores = (windows @ self.pictures.T).mean(axis=0)
        best = np.argsort(-scores)[:k]
        return np.array([7, 8], np.int32)[best], scores[best]


def seen(*pictures) -> Context:
    return Context(windows={"shot": np.array(pictures, np.float32)})


def test_the_shot_of_the_last_picture_is_recognised():
    snapshot = SimpleNamespace(recordings=None, shots=Shots())
    assert recognise_shot(snapshot, seen([0, 1, 0, 0], [1, 0, 0, 0])) == Match(7, 1.0)
    assert recognise_shot(snapshot, seen([1, 0, 0, 0], [0, 1, 0, 0])) == Match(8, 1.0)
    assert Recogniser(snapshot).match(seen([1, 0, 0, 0])) == Match(7, 1.0)


def test_a_picture_that_is_like_none_is_of_no_shot():
    snapshot = SimpleNamespace(recordings=None, shots=Shots())
    assert recognise_shot(snapshot, seen([0.7, 0.1, 0.7, 0])) is None
    assert recognise_shot(snapshot, Context()) is None
    assert recognise_shot(SimpleNamespace(shots=None), seen([1, 0, 0, 0])) is None


def test_what_is_heard_goes_before_what_is_seen():
    snapshot = SimpleNamespace(recordings=Recordings(), shots=Shots())
    both = Context(windows={"recording": np.zeros((3, 8), np.float32), "shot": np.eye(4, dtype=np.float32)[:1]})
    assert Recogniser(snapshot).match(both).row == 4
