"""What is remembered of a user's events, item by item, the most recently touched last: some 40 KB at most.

Everything that is learned about a user is computed from these records, so it can be recomputed from the history.
"""

import numpy as np

from edge.recommend.event import EVENTS, Event
from edge.recommend.signals import SEEN_ONLY, VERDICTS, strengthen, within_session

MAX_ITEMS = 1024
MAX_IMPRESSIONS = 256
SESSION_GAP_S = 1800.0
"""Half an hour of nothing ends a session (Catledge and Pitkow 1995 found 25.5 minutes on the web)."""
DAY_S = 86400.0
RECORD = np.dtype(
    [
        ("row", np.int32),
        ("strength", np.float32),
        ("before", np.float32),  # the strength when the session began, or since the last explicit word
        ("session", np.int32),
        ("day", np.int32),
        ("time_s", np.float64),
        ("event", np.uint8),
        ("skips", np.uint8),
        ("finishes", np.uint8),
    ]
)


class Records:
    """One record an item: see RECORD. ``event`` is the strongest thing done with it, an index into EVENTS."""

    def __init__(self) -> None:
        self._table = np.zeros(MAX_ITEMS, RECORD)
        self._count = 0
        self._shown = np.full(MAX_IMPRESSIONS, -1, np.int32)
        self._impressions = 0
        self._session, self._last_time_s = 0, -np.inf

    @property
    def table(self) -> np.ndarray:
        """np.ndarray [shape=(items,), dtype=RECORD], a view; the most recently touched item is the last."""
        return self._table[: self._count]

    @property
    def nbytes(self) -> int:
        return self._table.nbytes + self._shown.nbytes

    def impressions(self) -> np.ndarray:
        """The rows that were shown of late, int32 (n,), any order, repeated as often as they were shown."""
        return self._shown[: min(self._impressions, MAX_IMPRESSIONS)]

    def take(self, row: int, event: Event) -> None:
        """Take an event about the item in ``row`` of the snapshot in."""
        if event.event in SEEN_ONLY:  # nobody did anything: no session begins or goes on
            self._shown[self._impressions % MAX_IMPRESSIONS] = row
            self._impressions += 1
            return
        time_s = event.time_s or 0.0
        if abs(time_s - self._last_time_s) > SESSION_GAP_S:
            self._session += 1
        self._last_time_s = time_s
        record = self._to_the_end(row)
        if record["session"] != self._session:
            record["before"] = record["strength"]
        strength = strengthen(float(record["strength"]), event)
        if event.event in VERDICTS:
            record["before"] = strength
        record["strength"] = within_session(float(record["before"]), strength)
        record["session"], record["day"], record["time_s"] = self._session, int(time_s // DAY_S), time_s
        record["event"] = _stronger(int(record["event"]), event.event)
        counter = {"skip": "skips", "finish": "finishes"}.get(event.event)
        if counter:
            record[counter] = min(255, int(record[counter]) + 1)

    def _to_the_end(self, row: int) -> np.ndarray:
        """The item's record, now the last one; the oldest goes when there are too many."""
        found = np.flatnonzero(self.table["row"] == row)
        if found.size:
            record = self._table[found[0]].copy()
            self._table[found[0] : self._count - 1] = self._table[found[0] + 1 : self._count].copy()
        else:
            record = np.zeros((), RECORD)
            record["row"] = row
            if self._count == MAX_ITEMS:
                leaving = self._leaving()
                self._table[leaving:-1] = self._table[leaving + 1 :].copy()
            else:
                self._count += 1
        self._table[self._count - 1] = record
        return self._table[self._count - 1 : self._count].reshape(())  # a view: writing to it changes the table

    def _leaving(self) -> int:
        """Which record goes when there are too many: the oldest, but of a session that has half of them its own oldest.

        However many items a burst of events touches, the other half remembers what was before.
        """
        begun = int(np.searchsorted(self._table["session"], self._session))
        return begun if MAX_ITEMS - begun >= MAX_ITEMS // 2 else 0


def _stronger(old: int, new: str) -> int:
    """What to say of an item that several things were done with: the strongest of them."""
    ranking = ("play", "dwell", "skip", "comment", "finish", "share", "like", "dislike")
    return max(old, EVENTS.index(new), key=lambda index: ranking.index(EVENTS[index]))
