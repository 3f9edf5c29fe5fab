"""The .npy files of a snapshot, memory-mapped, each checked against what the manifest announces.

The manifest says what dtype and shape a file has, so its header needs no parser: it must read as announced.
"""

import math
import os
from pathlib import Path

import numpy as np

from edge.errors import SnapshotError

MAGIC = b"\x93NUMPY\x01\x00"
LONGEST_HEADER_BYTES = 1024
CHECKED_AT_ONCE = 1 << 16


def open_array(path: Path, dtype: type[np.generic], shape: tuple[int, ...]) -> np.ndarray:
    """A read-only memory-mapped array. Raises SnapshotError when it is not of that dtype, shape and length."""
    wanted = np.dtype(dtype)
    try:
        with path.open("rb") as file:
            head = file.read(LONGEST_HEADER_BYTES)
        begin = len(MAGIC) + 2 + int.from_bytes(head[len(MAGIC) : len(MAGIC) + 2], "little")
        size = path.stat().st_size
    except OSError as error:
        raise SnapshotError(f"{path}: cannot be read: {error.strerror or error}") from error
    said = " ".join(head[len(MAGIC) + 2 : begin].decode("latin-1").split())
    announced = f"{{'descr': '{np.lib.format.dtype_to_descr(wanted)}', 'fortran_order': False, 'shape': {shape}, }}"
    if not head.startswith(MAGIC) or said != announced or size != begin + wanted.itemsize * math.prod(shape):
        raise SnapshotError(f"{path}: not the array {wanted} {shape} that the manifest announces; "
                            "build the catalogue again")
    return np.memmap(path, wanted, "r", offset=begin, shape=shape).view(np.ndarray)  # the subclass slices slowly


class RowFile:
    """Rows of an array file, read instead of mapped.

    A row of a mapped file brings 64 KB around it into the process's memory, or 2 MB where the system keeps files in
    large pages; a row that is read brings itself.
    """

    def __init__(self, path: Path, array: np.ndarray):
        """``array``: the same file, opened by open_array."""
        self._path, self._array = path, array
        self._file = path.open("rb", buffering=0)
        self._begin = path.stat().st_size - array.nbytes

    def read(self, begin: int, end: int) -> np.ndarray:
        """Rows ``begin`` to ``end``, at least one, a copy. Raises SnapshotError when they cannot be read."""
        row_bytes = self._array[begin:end].nbytes // (end - begin)
        try:
            content = os.pread(self._file.fileno(), (end - begin) * row_bytes, self._begin + begin * row_bytes)
        except OSError as error:
            raise SnapshotError(f"{self._path}: cannot be read: {error.strerror or error}") from error
        if len(content) != (end - begin) * row_bytes:
            raise SnapshotError(f"{self._path}: shorter than it was when it was opened; copy the catalogue again")
        return np.frombuffer(content, self._array.dtype).reshape(end - begin, *self._array.shape[1:])

    def close(self) -> None:
        self._file.close()


def check_ascending(path: Path, values: np.ndarray, *, first: int, last: int) -> None:
    """Raises SnapshotError unless each value is above the one before and all lie within ``first`` to ``last``."""
    if len(values) == 0:
        return
    if values[0] < first or values[-1] > last or not (values[1:] > values[:-1]).all():
        raise SnapshotError(f"{path}: its values must ascend within {first} to {last}; build the catalogue again")


def check_inverse(path: Path, places: np.ndarray, rows: np.ndarray) -> None:
    """Raises SnapshotError unless ``places`` says where in ``rows`` each number stands, and -1 of those that do not.

    A number that stands there several times may have the place of any of them.
    """
    placed = len(rows) == 0 or (rows.min() >= 0 and rows.max() < len(places))
    for begin in range(0, len(rows) if placed else 0, CHECKED_AT_ONCE):
        placed = placed and bool((places[rows[begin : begin + CHECKED_AT_ONCE]] != -1).all())
    for begin in range(0, len(places) if placed else 0, CHECKED_AT_ONCE):
        placed = placed and _stand(rows, places[begin : begin + CHECKED_AT_ONCE], begin)
    if not placed:
        raise SnapshotError(f"{path}: says other places than there are; build the catalogue again")


def _stand(rows: np.ndarray, places: np.ndarray, first: int) -> bool:
    """Whether the numbers ``first`` and following stand at their places."""
    numbers = np.flatnonzero(places != -1)
    places = places[numbers]
    within = len(places) == 0 or bool(places.min() >= 0 and places.max() < len(rows))
    return within and np.array_equal(rows[places], numbers + first)


def check_within(path: Path, values: np.ndarray, *, first: int, last: int) -> None:
    """Raises SnapshotError unless all values lie within ``first`` to ``last``."""
    if len(values) and (values.min() < first or values.max() > last):
        raise SnapshotError(f"{path}: its values must lie within {first} to {last}; build the catalogue again")
