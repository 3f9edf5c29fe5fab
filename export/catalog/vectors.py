"""The vectors of a view as they are written: appended one item at a time, so that memory does not grow with them."""

from pathlib import Path
from typing import Any

import numpy as np

from edge.catalog.index import SCALE
from edge.context import unit
from edge.errors import ExportError
from export.catalog import inverted_lists
from export.catalog.arrays import ArrayFile, write_array


class ViewFiles:
    """The files of one view, as edge/catalog/snapshot.py lists them."""

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

    def close(self, items: int, *, ivf_from: int) -> dict[str, Any]:
        """Finish the files of a catalogue of so many items. Returns the view's entry of the manifest."""
        entry: dict[str, Any] = {"space": self._space, "dimension": self._dimension, "count": self._vectors.count,
                                 "index": "exact"}
        if self._starts is not None:
            self._starts.append(np.array([self._vectors.count]))
            self._starts.close()
            entry["recordings"] = self._rows.count
        self._rows.close()
        self._vectors.close()
        if self._vectors.count >= ivf_from:
            entry |= {"index": "ivf"} | self._sort_into_lists()
        if self._starts is None:
            self._write_places(items, entry["index"])
        return entry

    def _sort_into_lists(self) -> dict[str, Any]:
        """Windows stay in their recordings' order too; of items' vectors the lists are the only copy."""
        stored = self._read("vectors")
        if self._starts is not None:
            return inverted_lists.build(stored, np.arange(len(stored), dtype=np.int32), self._folder, self._name,
                                        least_recall=inverted_lists.LEAST_WINDOW_RECALL, twice=False)
        made = inverted_lists.build(stored, self._read("rows"), self._folder, self._name,
                                    twice=len(stored) >= inverted_lists.TWICE_FROM_VECTORS)
        for file in ("vectors", "rows"):
            (self._folder / f"{self._name}.{file}.npy").unlink()
        return made

    def _write_places(self, items: int, index: str) -> None:
        rows = self._read("rows" if index == "exact" else "labels")
        places = np.full(items, -1, np.int32)
        places[rows] = np.arange(len(rows))
        write_array(self._folder / f"{self._name}.places.npy", places)

    def _read(self, file: str) -> np.ndarray:
        return np.load(self._folder / f"{self._name}.{file}.npy", mmap_mode="r", allow_pickle=False)


def as_stored(vectors: np.ndarray) -> np.ndarray:
    """Unit vectors times 127: float [shape=(n, d)] -> int8 of the same shape; int8 stays as it is."""
    if vectors.dtype == np.int8:
        return vectors
    return np.rint(unit(vectors) * np.float32(SCALE)).astype(np.int8)
