"""What is fuzzed: a name, valid inputs, and what parses one of them."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

Seeds = Sequence[tuple[str, bytes]]
"""Valid inputs, each with a key that tells the parser what it is, as the name of its file."""
Opened = tuple[Seeds, Callable[[str, bytes], object]]


@dataclass(frozen=True)
class Parser:
    name: str
    share: int
    """Of a million inputs, in thousands: more where parsing is quick."""
    prepare: Callable[[Path], "contextlib.AbstractContextManager[Opened] | Opened"]
    """Makes the seeds and the parsing function; it may use the folder."""

    @contextlib.contextmanager
    def opened(self, folder: Path) -> Iterator[Opened]:
        made = self.prepare(folder)
        if isinstance(made, tuple):
            yield made
        else:
            with made as opened:
                yield opened


def file_of(folder: Path, name: str, parse: Callable[[Path], object]) -> Callable[[str, bytes], object]:
    """Parses each input as the content of a file."""
    path = folder / name

    def parse_content(_key: str, content: bytes) -> None:
        path.write_bytes(content)
        parse(path)

    return parse_content
