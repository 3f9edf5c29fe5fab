"""Which recording is heard is worked out once for each context."""

from types import SimpleNamespace

import numpy as np

from edge.context import Context
from edge.recommend.recognition import Match, Recogniser


class Recordings:
    """Two recordings, the first of which is heard for sure; counts how often it is asked."""

    asked = 0

    def match(self, windows, k):
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


def test_that_nothing_is_recognised_is_remembered_too():
    recordings = Recordings()
    recogniser = Recogniser(SimpleNamespace(recordings=recordings))
    short = Context(windows={"recording": np.zeros((1, 8), np.float32)})
    assert [recogniser.match(short) for _ in range(2)] == [None, None]
    assert recordings.asked == 0
