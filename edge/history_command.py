"""``roomtone history``: print the kept events, save them to a file, take a file's in."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from edge.commands import Ticker, open_history, print_json
from edge.disk import write_whole
from edge.errors import RoomtoneError, UsageError
from edge.recommend.exchange import Imported, export_lines, import_lines

MOST_SAID = 20
"""So many lines that were refused are printed; all are counted."""


def history(args: argparse.Namespace) -> int:
    return _import(args) if args.action == "import" else _export(args)


def _export(args: argparse.Namespace) -> int:
    with open_history(args.state) as kept:
        lines = export_lines(kept, args.user)
        if _is_pipe(args.file):
            for line in lines:
                print(line)
            return 0
        content = "".join(f"{line}\n" for line in lines)
    try:
        write_whole(args.file, content.encode("utf-8"))
    except OSError as error:
        raise RoomtoneError(f"{args.file}: the history cannot be saved there: {error.strerror or error}") from error
    print(f"{args.file}: {content.count(chr(10))} events", file=sys.stderr)
    return 0


def _import(args: argparse.Namespace) -> int:
    """Exit code 1 when a line was refused; the others are kept all the same."""
    if args.user is not None:
        raise UsageError("--user goes with export; an imported event says itself whose it is")
    with _opened(args.file) as file, open_history(args.state) as kept, Ticker(enabled=sys.stderr.isatty()) as ticker:
        done = import_lines(kept, file, on_progress=lambda lines: ticker.tell(f"{lines} lines"))
    _say_refused(done, "-" if _is_pipe(args.file) else str(args.file))
    if args.json:
        print_json({"new": done.new, "known": done.known, "refused_count": done.refused_count,
                    "refused": [{"line": line, "reason": reason} for line, reason in done.refused]})
    else:
        print(f"{done.new} new events, {done.known} that were there already, {done.refused_count} lines refused")
    return 1 if done.refused_count else 0


def _say_refused(done: Imported, name: str) -> None:
    for line, reason in done.refused[:MOST_SAID]:
        print(f"roomtone: {name}, line {line}: {reason}", file=sys.stderr)
    if done.refused_count > MOST_SAID:
        print(f"roomtone: {name}: and {done.refused_count - MOST_SAID} more lines", file=sys.stderr)


@contextmanager
def _opened(path: Path | None) -> Iterator[BinaryIO]:
    if path is None or _is_pipe(path):
        yield sys.stdin.buffer
        return
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise RoomtoneError(f"{path}: cannot be read: {error.strerror or error}") from error


def _is_pipe(path: Path | None) -> bool:
    return path is None or os.fspath(path) == "-"
