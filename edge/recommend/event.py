"""One thing that somebody did with an item, as it is kept, sent and exported."""

import json
import math
import re
from dataclasses import asdict, dataclass, replace
from typing import Any

from edge.errors import UsageError

EVENTS = ("play", "finish", "skip", "like", "dislike", "share", "comment", "dwell", "impression")
MAX_ID_CHARACTERS = 128
NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
"""Of a user, an item or an event: no control characters, line ends, turns of direction; as in openapi.json."""
MAX_NUMBER = 1e12
"""Bounds ``value`` and ``time_s``: no event lasts longer and no clock shows more seconds."""


@dataclass(frozen=True)
class Event:
    """What a user did. The id is the sender's and makes a repeated message harmless."""

    id: str
    user: str
    item: str
    event: str
    """One of EVENTS."""
    value: float | None = None
    """Seconds for ``dwell``, which needs it, and optional for the others; >= 0."""
    time_s: float | None = None
    """When it happened, in seconds since 1970; None: the moment when the history takes it in."""

    def line(self) -> str:
        """The event as one line of JSON, without the line's end."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def same_as(self, stored: "Event") -> bool:
        """Whether this is ``stored`` once more. A message without a time repeats one of any time."""
        return stored == (replace(self, time_s=stored.time_s) if self.time_s is None else self)


def check(event: Event) -> None:
    """Raise UsageError, naming the field and what is allowed, unless the history can take the event."""
    for name in ("id", "user", "item"):
        text = getattr(event, name)
        if not is_name(text):
            raise UsageError(f"{name} {text!r:.80} must be text of 1 to {MAX_ID_CHARACTERS} characters, none of them a "
                             "control character")
    if event.event not in EVENTS:
        raise UsageError(f"event {event.event!r:.80} must be one of {', '.join(EVENTS)}")
    for name in ("value", "time_s"):
        number = getattr(event, name)
        if number is not None and not _plausible(number):
            raise UsageError(f"{name} {number!r:.80} must be a number from 0 to {MAX_NUMBER:g}")
    if event.event == "dwell" and event.value is None:
        raise UsageError("dwell needs a value: how many seconds somebody stayed with the item")


def is_name(text: Any) -> bool:
    """Whether users, items and events may be called so."""
    return isinstance(text, str) and len(text) <= MAX_ID_CHARACTERS and NAME.fullmatch(text) is not None


def parse(line: str) -> Event:
    """The event in one line of JSON, checked. Raises UsageError that says what is wrong with it."""
    try:
        table = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not a JSON object: {error!s:.120}") from error
    return of_table(table)


def of_table(table: Any) -> Event:
    """The event in a parsed JSON object, checked. Raises UsageError that says what is wrong with it."""
    if not isinstance(table, dict):
        raise UsageError(f"not a JSON object: {table!r:.80}")
    event = Event(**_fields(table))
    check(event)
    return event


def _fields(table: dict[str, Any]) -> dict[str, Any]:
    known = Event.__dataclass_fields__
    for key in table:
        if key not in known:
            raise UsageError(f"unknown key {key!r:.80}; known: {', '.join(known)}")
    for key in ("id", "user", "item", "event"):
        if key not in table:
            raise UsageError(f"{key} is missing")
    return table


def _plausible(number: Any) -> bool:
    if isinstance(number, bool) or not isinstance(number, int | float):
        return False
    return 0 <= number <= MAX_NUMBER and math.isfinite(number)
