"""The inverted lists of a large view: its vectors sorted by the nearest of many centroids, as memory-mapped arrays.

Beside a view NAME lie ``NAME.lists.npy``, the vectors list after list; ``NAME.labels.npy``, what each is called;
``NAME.bounds.npy``, where each list begins; ``NAME.centroids.npy``, the lists' centroids, themselves sorted by the
nearest of fewer centroids, ``NAME.groups.npy``; and ``NAME.grouped.npy``, where each group of lists begins. A vector
may lie in two lists: what a search overlooks in one it finds in the other (SOAR: Sun et al., 2023).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.catalog.arrays import RowFile, check_ascending
from edge.errors import SnapshotError

Opener = Callable[[str, type[np.generic], tuple[int, ...]], np.ndarray]
"""From a file's name, its dtype and shape to the array that it holds."""


@dataclass(frozen=True)
class Lists:
    """Read-only arrays. All vectors are unit vectors times 127."""

    vectors: np.ndarray
    """int8 (n, d), list after list, vectors that lie in two of them twice."""
    labels: np.ndarray
    """int32 (n,), what each vector is called: its item's row, or its number in another file."""
    bounds: np.ndarray
    """int64 (lists + 1,): list i is vectors[bounds[i] : bounds[i + 1]]."""
    centroids: np.ndarray
    """int8 (lists, d), group after group."""
    groups: np.ndarray
    """int8 (groups, d), the centroids' centroids."""
    grouped: np.ndarray
    """int64 (groups + 1,): group i is the lists grouped[i] to grouped[i + 1] - 1."""
    files: tuple[RowFile, RowFile] | None = None
    """Of the vectors and the labels, where lists are to be read instead of mapped."""

    def read(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The vectors and labels of some lists from ``files``, int8 (n, d) and int32 (n,), list after list.

        Raises SnapshotError when they cannot be read.
        """
        assert self.files is not None
        spans = list(zip(self.bounds[numbers].tolist(), self.bounds[numbers + 1].tolist(), strict=True))
        vectors, labels = (np.concatenate([file.read(*span) for span in spans]) for file in self.files)
        return vectors, labels

    def close(self) -> None:
        for file in self.files or ():
            file.close()


def open_lists(array: Opener, name: str, shape: tuple[int, int], *, lists: int, groups: int) -> Lists:
    """``shape``: of the vectors. Raises SnapshotError, as ``array`` does, for an array of another dtype or shape."""
    count, dimension = shape
    return Lists(
        vectors=array(f"{name}.lists.npy", np.int8, shape),
        labels=array(f"{name}.labels.npy", np.int32, (count,)),
        bounds=array(f"{name}.bounds.npy", np.int64, (lists + 1,)),
        centroids=array(f"{name}.centroids.npy", np.int8, (lists, dimension)),
        groups=array(f"{name}.groups.npy", np.int8, (groups, dimension)),
        grouped=array(f"{name}.grouped.npy", np.int64, (groups + 1,)))


def check_lists(folder: Path, name: str, lists: Lists) -> None:
    """Raises SnapshotError unless every vector lies in one list and every list in one group, none empty."""
    for file, bounds, end in (("bounds", lists.bounds, len(lists.vectors)),
                              ("grouped", lists.grouped, len(lists.centroids))):
        path = folder / f"{name}.{file}.npy"
        check_ascending(path, bounds, first=0, last=end)
        if bounds[0] != 0 or bounds[-1] != end:
            raise SnapshotError(f"{path}: must go from 0 to {end}; build the catalogue again")
