"""Give back the memory of files that are mapped: what was read stays in the system's cache, not in this process.

Every page of a snapshot that a search touches counts as this process's memory until the system needs it elsewhere.
Searches of a large catalogue touch other pages each time, so that in the end the whole of it would count.
"""

import ctypes
import mmap
from functools import cache
from pathlib import Path

import numpy as np

MAPS = Path("/proc/self/maps")
READ_ONLY = "r--"


def release(*paths: Path) -> int:
    """Let go of the pages of all read-only mappings of some files, or of the files in some folders.

    They are mapped again when they are read. Returns how many bytes are mapped. Does nothing where the system has no
    /proc/self/maps.
    """
    try:
        mappings = MAPS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return 0
    wanted, mapped = tuple(f"{path.resolve()}/" for path in paths), 0
    for mapping in mappings:
        span, permissions, _, _, _, *file = mapping.split(maxsplit=5)
        if file and permissions.startswith(READ_ONLY) and f"{file[0]}/".startswith(wanted):
            begin, end = (int(address, 16) for address in span.split("-"))
            drop(begin, end)
            mapped += end - begin
    return mapped


def release_arrays(*arrays: np.ndarray) -> None:
    """The same for whole arrays of arrays.open_array, without looking for their mappings; for after each search."""
    for array in arrays:
        address = array.ctypes.data
        drop(address // mmap.PAGESIZE * mmap.PAGESIZE, address + array.nbytes)


def drop(begin: int, end: int) -> None:
    """Of the addresses of a mapped file whose pages nobody changed; ``begin`` at the start of a page."""
    _libc().madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), mmap.MADV_DONTNEED)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)
