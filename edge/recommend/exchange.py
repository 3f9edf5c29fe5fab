"""A history as JSON lines, out and in: to keep a copy, to move house, to look at what is kept.

A line is an event; that of an impression may also have ``drawn_from`` (round.py).
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import BinaryIO

from edge.errors import ConflictError, UsageError
from edge.recommend.event import Event, of_table
from edge.recommend.history import History
from edge.recommend.round import Round

MAX_LINE_BYTES = 1 << 14
"""An event of the longest names takes a quarter of it, escaped, and so does what it was drawn from."""
BATCH_LINES = 1000
"""So many lines are kept in one go: one wait for the disk, not a thousand."""
MOST_REFUSED = 1000
"""So many refused lines are remembered with their reason; all are counted."""


@dataclass
class Imported:
    """What became of the lines of an import; blank ones do not count."""

    new: int = 0
    known: int = 0
    """Events that were there already."""
    refused_count: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    """Numbers of refused lines, from 1, and why; the first MOST_REFUSED."""

    def refuse(self, line: int, reason: str) -> None:
        self.refused_count += 1
        if len(self.refused) < MOST_REFUSED:
            self.refused.append((line, reason))


def export_lines(history: History, user: str | None = None) -> Iterator[str]:
    """The events of one user, or of all, oldest first, each as one line of JSON without its end."""
    for name in [user] if user is not None else history.users():
        rounds = history.rounds(name)
        yield from (line_of(event, rounds.get(event.id)) for event in history.events(name))


def line_of(event: Event, drawn_from: Round | None) -> str:
    if drawn_from is None:
        return event.line()
    return json.dumps({**asdict(event), "drawn_from": asdict(drawn_from)}, ensure_ascii=False)


def parse_line(line: bytes) -> tuple[Event, Round | None]:
    """The event in one line, checked, and what it was drawn from. Raises UsageError that says what is wrong."""
    try:
        table = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(f"not UTF-8 text (byte {error.start})") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not a JSON object: {error!s:.120}") from error
    drawn = table.pop("drawn_from", None) if isinstance(table, dict) else None
    event = of_table(table)
    drawn_from = None if drawn is None else Round.from_table(drawn)
    if drawn_from is not None:
        drawn_from.check(event)
    return event, drawn_from


def import_lines(
    history: History, file: BinaryIO, *, on_progress: Callable[[int], object] = lambda _: None
) -> Imported:
    """Keep the events of a file of JSON lines that are not there yet, in the order of the lines.

    A line that is no event, or whose id was used for another one, is refused and told; the others are kept all the
    same, so an import can be repeated. What was counted is on the disk, even if StateError is raised half way.
    ``on_progress`` is called with the number of lines done.
    """
    done, numbered = Imported(), enumerate(read_lines(file), start=1)
    while batch := list(islice(numbered, BATCH_LINES)):
        parsed = list(_parsed(batch, done))
        results = history.add_each([event for _, event, _ in parsed], [drawn for *_, drawn in parsed])
        for (number, *_), result in zip(parsed, results, strict=True):
            if isinstance(result, ConflictError):
                done.refuse(number, str(result))
            else:
                done.new += result
                done.known += not result
        on_progress(batch[-1][0])
    done.refused.sort()
    return done


def _parsed(batch: list[tuple[int, bytes | None]], done: Imported) -> Iterator[tuple[int, Event, Round | None]]:
    for number, line in batch:
        try:
            if line is None:
                raise UsageError(f"longer than {MAX_LINE_BYTES} bytes")
            if line.strip():
                yield number, *parse_line(line)
        except UsageError as error:
            done.refuse(number, str(error))


def read_lines(file: BinaryIO) -> Iterator[bytes | None]:
    """The lines; None for one that is too long, which is never in memory whole."""
    while line := file.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES:
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE_BYTES)
            yield None
        else:
            yield line
