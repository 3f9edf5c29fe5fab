"""Give back the memory of libraries and other mapped files that only loading them touched.

Starting reads through symbol tables, registers a runtime's kernels and hashes with code that never runs again: half of
what an inference runtime and numpy have in memory afterwards. Those pages are unchanged copies of files; dropped, they
come back from the system's cache, page by page, as far as they are used.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from edge.pages import drop

SMAPS = Path("/proc/self/smaps")
_HEADER = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ \S+ +/")


def release_loaded() -> int:
    """Drop the unchanged pages of every private, read-only mapping of a file; returns their bytes.

    To be called while no other thread maps or unmaps files: between looking and dropping, other memory could come to
    lie where a mapping was. Mappings that hold a changed page, as the linker's relocated ones do, are left alone.
    Does nothing where the system has no /proc/self/smaps.
    """
    try:
        with SMAPS.open(encoding="utf-8", errors="surrogateescape") as lines:
            found = list(_unchanged(lines))
    except OSError:
        return 0
    for begin, end, _ in found:
        drop(begin, end)
    return sum(resident_bytes for *_, resident_bytes in found)


def _unchanged(lines: Iterable[str]) -> Iterator[tuple[int, int, int]]:
    """Beginning, end and resident bytes of each mapping that may be dropped."""
    span: tuple[int, int] | None = None
    resident_bytes = 0
    for line in lines:
        if "-" in line.split(maxsplit=1)[0]:
            header = _HEADER.match(line)
            span = (int(header[1], 16), int(header[2], 16)) if header else None
        elif span and line.startswith("Rss:"):
            resident_bytes = int(line.split()[1]) << 10
        elif span and line.startswith("Anonymous:") and line.split()[1] == "0" and resident_bytes:
            yield *span, resident_bytes
