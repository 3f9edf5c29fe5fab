"""What is playing: which recording, by ``recording``, else which shot, by ``shot``; said only when it is sure."""

from dataclasses import dataclass

from edge.catalog.recording import sureness
from edge.catalog.snapshot import Snapshot
from edge.context import Context

LEAST_MARGIN = 0.02
"""Closer to the second best than this, a match is "not sure": two recordings share the sound."""
LEAST_WINDOWS = 2
"""One window of three seconds is not enough to say a name."""
LEAST_SHOT_SCORE = 0.8
"""A picture that is less like its best match is of no known shot: of films that are not in the catalogue none of 2,696
pictures is more, of known shots, worn, 97 in a hundred (``python -m benchmarks shots``)."""


@dataclass(frozen=True)
class Match:
    row: int
    score: float
    """Mean cosine of the heard windows with the recording's, in their order, or of the last picture with the shot's
    best, -1 to 1."""


class Recogniser:
    """Looks once for each context, however often it is asked about it. Used by one thread at a time."""

    def __init__(self, snapshot: Snapshot):
        self._snapshot = snapshot
        self._last: tuple[Context, Match | None] | None = None

    def match(self, context: Context) -> Match | None:
        """The recording that is heard, else the shot that is seen; None when that is not sure."""
        if self._last is None or self._last[0] is not context:
            self._last = context, recognise(self._snapshot, context) or recognise_shot(self._snapshot, context)
        return self._last[1]


def recognise(snapshot: Snapshot, context: Context) -> Match | None:
    """The recording that is heard, None when there is none or it is not sure.

    From when on it is sure was measured with recordings that are not in the catalogue, and comes with it.
    """
    windows = context.windows.get("recording")
    view = snapshot.recordings
    if view is None or windows is None or len(windows) < LEAST_WINDOWS:
        return None
    rows, scores = view.match(windows, 2, starts_s=context.starts_s.get("recording"))
    if not len(rows) or sureness(scores) < view.least_sureness:
        return None
    if len(rows) > 1 and scores[0] - scores[1] < LEAST_MARGIN:
        return None
    return Match(int(rows[0]), float(scores[0]))


def recognise_shot(snapshot: Snapshot, context: Context) -> Match | None:
    """The shot that the last picture is of, None when there is none or it is not sure."""
    pictures = context.windows.get("shot")
    if pictures is None or snapshot.shots is None:
        return None
    rows, scores = snapshot.shots.match(pictures[-1:], 1)
    if not len(rows) or scores[0] < LEAST_SHOT_SCORE:
        return None
    return Match(int(rows[0]), float(scores[0]))
