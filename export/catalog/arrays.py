"""The .npy files of a snapshot as they are written: whole, or appended to, so that memory does not grow with them."""

from pathlib import Path

import numpy as np

from edge.errors import ExportError

BUFFERED_BYTES = 1 << 20


class ArrayFile:
    """A .npy file that rows are appended to. numpy leaves room in the header for the number of rows to grow."""

    def __init__(self, path: Path, dtype: type, width: int | None = None):
        self._path, self._dtype, self._row = path, np.dtype(dtype), () if width is None else (width,)
        self._file = path.open("wb", buffering=BUFFERED_BYTES)
        self.count = 0
        self._begin = self._write_header()

    def append(self, rows: np.ndarray) -> None:
        self._file.write(np.ascontiguousarray(rows, self._dtype).tobytes())
        self.count += len(rows)

    def close(self) -> None:
        """Put the number of rows into the header."""
        self._file.seek(0)
        if self._write_header() != self._begin:
            raise ExportError(f"{self._path}: {self.count} rows are more than its header has room for")
        self._file.close()

    def _write_header(self) -> int:
        header = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False,
                  "shape": (self.count, *self._row)}
        np.lib.format.write_array_header_1_0(self._file, header)
        return self._file.tell()


def write_array(path: Path, values: np.ndarray) -> None:
    with path.open("wb") as file:
        np.lib.format.write_array(file, values, version=(1, 0), allow_pickle=False)
