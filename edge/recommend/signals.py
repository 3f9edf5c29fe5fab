"""What each event says about how much a user wants an item: the strength, from -1 (never again) to 1 (loves it).

The weights are a choice, ordered as such signals usually are (explicit over implicit, finished over started); the
host's evaluation measures what they are worth. Impressions say nothing by themselves.
"""

from edge.recommend.event import Event

WEIGHTS = {
    "play": 0.2,
    "finish": 0.5,
    "skip": -0.4,
    "like": 1.0,
    "dislike": -1.0,
    "share": 1.0,
    "comment": 0.5,
    "impression": 0.0,
}
VERDICTS = ("like", "dislike", "share")
"""An explicit word replaces what was thought before; anything else is added to it."""
DONE_LIMIT = 0.8
"""An item that was finished a hundred times, attended or not, says less than one that was liked."""
SESSION_LIMIT = 0.8
"""What was done with an item in one session moves it no further: a child that skips a favourite for an hour does not
turn it into something unwanted."""
DWELL_WEIGHT, LONG_DWELL_S = 0.4, 60.0
"""Staying a minute with an item says nearly as much as finishing it."""
SEEN_ONLY = ("impression",)


def weight(event: Event) -> float:
    """What one event adds, within -1 and 1."""
    if event.event == "dwell":
        return DWELL_WEIGHT * min(1.0, (event.value or 0.0) / LONG_DWELL_S)
    return WEIGHTS[event.event]


def strengthen(strength: float, event: Event) -> float:
    """The item's strength after the event. However many events an item gets, it stays within -1 and 1.

    What was not said but done moves it no further than DONE_LIMIT from 0.
    """
    if event.event in VERDICTS:
        return weight(event)
    step = weight(event)
    if step >= 0:
        return max(strength, min(DONE_LIMIT, strength + step))
    return min(strength, max(-DONE_LIMIT, strength + step))


def within_session(before: float, strength: float) -> float:
    """The strength, no further than SESSION_LIMIT from what it was ``before`` the session."""
    return min(before + SESSION_LIMIT, max(before - SESSION_LIMIT, strength))
