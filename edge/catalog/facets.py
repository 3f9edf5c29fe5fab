"""What filters and orders need to know of every item at once, as memory-mapped columns instead of a walk over rows."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.catalog.arrays import open_array
from edge.errors import SnapshotError

NAMES_FILE, NUMBERS_FILE = "facets.npy", "measures.npy"
NAMED = ("artist", "album", "genre", "channel")
COUNTED = ("year", "explicit")
MEASURED = ("popularity", "added_s")


@dataclass(frozen=True)
class Facets:
    """Columns of shape (items,), read-only.

    ``artist``, ``album``, ``genre`` and ``channel`` are int32 numbers: equal ones are equal names, -1 is none.
    ``year`` and ``explicit`` are int32, a year of 0 is unknown. ``popularity`` (0 to 1) and ``added_s`` (seconds
    since 1970, 0 unknown) are float64.
    """

    artist: np.ndarray
    album: np.ndarray
    genre: np.ndarray
    channel: np.ndarray
    year: np.ndarray
    explicit: np.ndarray
    popularity: np.ndarray
    added_s: np.ndarray


def open_facets(folder: Path, items: int, *, known: bool = False) -> Facets:
    """``known``: the columns' values have been checked before.

    Raises SnapshotError when a column is missing, misshapen or out of its range.
    """
    named = open_array(folder / NAMES_FILE, np.int32, (len(NAMED) + len(COUNTED), items))
    measured = open_array(folder / NUMBERS_FILE, np.float64, (len(MEASURED), items))
    names = named[: len(NAMED)]
    if items and not known and (names.min() < -1 or names.max() >= items):
        raise SnapshotError(f"{folder / NAMES_FILE}: its numbers must lie in -1 to {items - 1}; "
                            "build the catalogue again")
    if not known and not np.isfinite(measured).all():
        raise SnapshotError(f"{folder / NUMBERS_FILE}: its numbers must be finite; build the catalogue again")
    return Facets(**dict(zip(NAMED + COUNTED, named, strict=True)), **dict(zip(MEASURED, measured, strict=True)))
