"""The vectors of a view as they are written: appended one item at a time, so that memory does not grow with them."""

from pathlib import Path
from typing import Any

import numpy as np

from edge.catalog.index import SCALE
from edge.context import unit
from edge.errors import ExportError
from export.catalog import inverted_lists

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


class ViewFiles:
    """VIEW.vectors.npy, VIEW.rows.npy, with ``windows`` VIEW.starts.npy, and for many vectors VIEW.faiss."""

    def __init__(self, folder: Path, name: str, *, space: str, dimension: int, windows: bool):
        self._folder, self._name, self._space, self._dimension = folder, name, space, dimension
        self._vectors = ArrayFile(folder / f"{name}.vectors.npy", np.int8, dimension)
        self._rows = ArrayFile(folder / f"{name}.rows.npy", np.int32)
        self._starts = ArrayFile(folder / f"{name}.starts.npy", np.int64) if windows else None

    def add(self, row: int, vectors: np.ndarray) -> None:
        """One item's vector (d,), or its windows' (n, d): float32 of any length, or int8 as they are stored."""
        stored = self._checked(np.atleast_2d(vectors), row)
        if len(stored) == 0:
            return
        if self._starts is not None:
            self._starts.append(np.array([self._vectors.count]))
        self._rows.append(np.array([row]))
        self._vectors.append(stored)

    def _checked(self, vectors: np.ndarray, row: int) -> np.ndarray:
        if vectors.shape[1] != self._dimension or (self._starts is None and len(vectors) != 1):
            raise ExportError(f"view {self._name}, item {row}: vectors of shape {vectors.shape}, not "
                              f"({'n' if self._starts is not None else 1}, {self._dimension})")
        if not np.isfinite(vectors).all() or not vectors.any(axis=1).all():
            raise ExportError(f"view {self._name}, item {row}: a vector is zero or not finite; leave it out")
        return as_stored(vectors)

    def close(self, *, ivf_from: int) -> dict[str, Any]:
        """Finish the files. Returns the view's entry of the manifest."""
        entry: dict[str, Any] = {"space": self._space, "dimension": self._dimension, "count": self._vectors.count,
                                 "index": "exact"}
        if self._starts is not None:
            self._starts.append(np.array([self._vectors.count]))
            self._starts.close()
            entry["recordings"] = self._rows.count
        self._rows.close()
        self._vectors.close()
        if self._vectors.count >= ivf_from:
            stored = np.load(self._folder / f"{self._name}.vectors.npy", mmap_mode="r", allow_pickle=False)
            recall = inverted_lists.LEAST_RECALL if self._starts is None else inverted_lists.LEAST_WINDOW_RECALL
            probes = inverted_lists.build(stored, self._folder / f"{self._name}.faiss", least_recall=recall)
            entry |= {"index": "ivf", "probes": probes}
        return entry


def as_stored(vectors: np.ndarray) -> np.ndarray:
    """Unit vectors times 127: float [shape=(n, d)] -> int8 of the same shape; int8 stays as it is."""
    if vectors.dtype == np.int8:
        return vectors
    return np.rint(unit(vectors) * np.float32(SCALE)).astype(np.int8)
