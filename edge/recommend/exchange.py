"""A history as JSON lines, out and in: to keep a copy, to move house, to look at what is kept."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

from edge.errors import ConflictError, UsageError
from edge.recommend.event import Event, parse
from edge.recommend.history import History

MAX_LINE_BYTES = 1 << 14
"""An event of the longest names takes a quarter of it, escaped."""
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
        yield from (event.line() for event in history.events(name))


def import_lines(
    history: History, file: BinaryIO, *, on_progress: Callable[[int], object] = lambda _: None
) -> Imported:
    """Keep the events of a file of JSON lines that are not there yet, in the order of the lines.

    A line that is no event, or whose id was used for another one, is refused and told; the others are kept all the
    same, so an import can be repeated. What was counted is on the disk, even if StateError is raised half way.
    ``on_progress`` is called with the number of lines done.
    """
    done, numbered = Imported(), enumerate(_lines(file), start=1)
    while batch := list(islice(numbered, BATCH_LINES)):
        events = list(_parsed(batch, done))
        for (number, _), result in zip(events, history.add_each([event for _, event in events]), strict=True):
            if isinstance(result, ConflictError):
                done.refuse(number, str(result))
            else:
                done.new += result
                done.known += not result
        on_progress(batch[-1][0])
    done.refused.sort()
    return done


def _parsed(batch: list[tuple[int, bytes | None]], done: Imported) -> Iterator[tuple[int, Event]]:
    for number, line in batch:
        try:
            if line is None:
                raise UsageError(f"longer than {MAX_LINE_BYTES} bytes")
            if line.strip():
                yield number, parse(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            done.refuse(number, f"not UTF-8 text (byte {error.start})")
        except UsageError as error:
            done.refuse(number, str(error))


def _lines(file: BinaryIO) -> Iterator[bytes | None]:
    """The lines; None for one that is too long, which is never in memory whole."""
    while line := file.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES:
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE_BYTES)
            yield None
        else:
            yield line
