"""The process that decodes and embeds: ``python -m export.catalog.worker``, driven by local.py.

A damaged file may take its decoder and the process down with it, and then costs the build that file only. Reads
lines of JSON, the choice of models first, then files; answers each with one frame (see ``write_frame``). It
ends when its input does, so that it never outlives a build that was killed.
"""

import os
import queue
import struct
import sys
import threading
from typing import IO, Any

from edge.errors import MediaError, RoomtoneError
from export.catalog.choice import ModelChoice
from export.catalog.embed import Embedders
from export.catalog.packed import pack
from export.catalog.scan import MediaFile
from export.catalog.understand import understand

HEAD = struct.Struct("<BQ")
UNDERSTOOD, REFUSED = 0, 1
UNREADABLE = (MediaError, OSError, RuntimeError, ValueError, ArithmeticError, LookupError, TypeError, MemoryError)
"""Whatever a decoder or a tag reader raises over one file; the others go on."""

Answer = tuple[int, bytes]
"""UNDERSTOOD and a packed result, or REFUSED and why, in UTF-8."""


def answer(file: MediaFile, embedders: Embedders) -> Answer:
    try:
        return UNDERSTOOD, pack(understand(file, embedders))
    except UNREADABLE as error:
        said = str(error) if isinstance(error, MediaError) else f"{file.path}: cannot be read: {error!s:.120}"
        return REFUSED, said.encode("utf-8", "backslashreplace")


def write_frame(stream: IO[bytes], answer: Answer) -> None:
    stream.write(HEAD.pack(answer[0], len(answer[1])) + answer[1])
    stream.flush()


def write_line(stream: IO[bytes], text: str) -> None:
    stream.write(text.encode("ascii") + b"\n")
    stream.flush()


def read_frame(stream: IO[bytes]) -> Answer | None:
    """None when the stream ended, as when the worker died."""
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    kind, length = HEAD.unpack(head)
    content = stream.read(length)
    return (kind, content) if len(content) == length else None


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a decoder prints must not get among the answers
    lines = _lines()
    try:
        embedders = ModelChoice.from_json(lines.get()).open()
    except RoomtoneError as error:
        write_frame(answers, (REFUSED, str(error).encode("utf-8", "backslashreplace")))
        return
    write_frame(answers, (UNDERSTOOD, embedders.identity.encode()))
    while True:
        write_frame(answers, answer(MediaFile.from_json(lines.get()), embedders))


def _lines() -> "queue.Queue[Any]":
    """The lines of the input; at its end the process ends, whatever it is doing."""
    waiting: queue.Queue[Any] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            waiting.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    return waiting


if __name__ == "__main__":
    main()
