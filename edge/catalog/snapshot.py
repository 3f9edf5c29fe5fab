"""A snapshot: an immutable catalogue on disk, verified, checked against the bundle's spaces and memory-mapped.

A folder sealed by a manifest (edge/manifest.py). Layout of ``manifest.json``, format 2::

    {"format": 2, "name": "roomtone-default", "version": "1", "items": 310,
     "views": {"audio": {"space": "musicnn-msd-pca64@...", "dimension": 64, "count": 200, "index": "exact"},
               "recording": {"space": "...", "dimension": 64, "count": 900000, "index": "ivf", "lists": 14062,
                             "groups": 512, "listed": 900000, "probes": {"10": 16, "100": 60, "1000": 300},
                             "recordings": 20000}},
     "files": {"items.sqlite": {...}, "facets.npy": {...}, "audio.vectors.npy": {...}, "audio.rows.npy": {...}, ...}}

VIEW.places.npy says where each item's vector lies. With the ``index`` ``exact`` that is in VIEW.vectors.npy, whose
items VIEW.rows.npy names; with ``ivf`` it is in the lists (lists.py), ``probes`` says how many of them a search for
so many neighbours looks into, and ``listed`` how many vectors lie in them, those that lie in two counted twice. A view
with ``recordings`` has several vectors an item (recording.py), whose beginnings are in VIEW.starts.npy; with ``ivf``
they are in the lists once more.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edge import manifest
from edge.catalog.arrays import RowFile, check_ascending, check_inverse, check_within, open_array
from edge.catalog.facets import NAMES_FILE, NUMBERS_FILE, Facets, open_facets
from edge.catalog.index import ExactIndex, Index
from edge.catalog.items import Items
from edge.catalog.ivf import NEIGHBOURS, IvfIndex
from edge.catalog.lists import Lists, check_lists, open_lists
from edge.catalog.recording import HOP_S, LEAST_SURENESS, RecordingView
from edge.catalog.view import View
from edge.errors import SnapshotError
from edge.pages import release, release_arrays
from edge.verified import Verified

FORMAT_VERSION = 2
DEFAULT = Path(__file__).resolve().parent.parent / "assets" / "catalog"
ITEMS_FILE = "items.sqlite"
WINDOWED = ("recording", "shot")
"""The views that may have several vectors an item."""
MOST_ITEMS = (1 << 31) - 1
MOST_GROUPS = 1 << 16


@dataclass(frozen=True)
class Snapshot:
    """A context manager. Everything in it is read-only and used by one thread at a time."""

    path: Path
    name: str
    version: str
    items: Items
    facets: Facets
    views: dict[str, View]
    recordings: RecordingView | None
    """The view that says which recording is heard, when the snapshot has one."""
    shots: RecordingView | None
    """The one that says which shot is seen, of the pictures of a shot in place of the windows of a recording."""
    size_bytes: int

    def release(self) -> None:
        """Give back the memory of the pages that were read so far; they are mapped again when they are needed.

        For after a search of a large catalogue: what it touched would stay with the process otherwise.
        """
        release(self.path)

    def close(self) -> None:
        self.items.close()
        for view in (self.recordings, self.shots):
            if view is not None:
                view.close()

    def __enter__(self) -> "Snapshot":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_snapshot(
    path: str | Path = DEFAULT, *, spaces: dict[str, str] | None = None, verified: Verified | None = None,
) -> Snapshot:
    """Verify and open a catalogue.

    ``spaces``: view to space of the bundle in use (Bundle.spaces); a view of both must be of one space. None skips
    the check. ``verified``: the record of what was verified before; what it knows is not read through once more.
    Raises SnapshotError naming the file or both spaces.
    """
    folder = Path(path)
    fields = manifest.read(folder, format_version=FORMAT_VERSION, error=SnapshotError, verified=verified)
    files, items, announced = fields.fields("files"), fields.integer("items", 0, MOST_ITEMS), fields.fields("views")
    listed, names = files.keys(), announced.keys()
    _require(folder, listed, ITEMS_FILE, NAMES_FILE, NUMBERS_FILE)
    for view in names:
        _check_space(folder, view, announced.fields(view).text("space"), spaces or {})
    known = verified is not None and verified.known
    shelf = _Shelf(folder, listed, items, known=known)
    several = [view for view in names if "recordings" in announced.fields(view).plain()]
    if unknown := set(several) - set(WINDOWED):
        raise SnapshotError(f"{folder}: {', '.join(sorted(unknown))!s:.80} with several vectors an item; only "
                            f"{' and '.join(WINDOWED)} may have that")
    windowed = {view: shelf.recordings(view, announced.fields(view)) for view in several}
    snapshot = Snapshot(
        path=folder,
        name=fields.text("name"),
        version=fields.text("version"),
        items=Items(folder / ITEMS_FILE, items),
        facets=open_facets(folder, items, known=known),
        views={view: shelf.view(view, announced.fields(view)) for view in names if view not in several},
        recordings=windowed.get("recording"),
        shots=windowed.get("shot"),
        size_bytes=sum(files.fields(name).integer("bytes") for name in listed),
    )
    if verified is not None:
        verified.remember()
    return snapshot


def _check_space(folder: Path, view: str, space: str, spaces: dict[str, str]) -> None:
    if spaces.get(view, space) != space:
        raise SnapshotError(f"{folder}: its {view:.40} view lies in the space {space!r:.80}, the bundle's models in "
                            f"{spaces[view]!r:.80}; build the catalogue with this bundle, or use its own bundle")


class _Shelf:
    """Opens the views of one folder."""

    def __init__(self, folder: Path, listed: list[str], items: int, *, known: bool):
        """``known``: the values of the arrays have been checked before."""
        self._folder, self._listed, self._items, self._known = folder, listed, items, known

    def view(self, name: str, fields: manifest.Fields) -> View:
        places = self._array(f"{name}.places.npy", np.int32, (self._items,))
        if self._indexed(name, fields):
            lists = self._lists(name, fields)
            stored, rows = lists.vectors, lists.labels
            index: Index = _ivf(lists, fields, places)
        else:
            stored = self._stored(name, fields)
            rows = self._rows(name, len(stored))
            index = ExactIndex(stored, rows if len(rows) < self._items else None)
        if not self._known:
            check_inverse(self._folder / f"{name}.places.npy", places, rows)
        return View(stored, places, index, name=name, space=fields.text("space"), size=_shape(fields)[0])

    def recordings(self, name: str, fields: manifest.Fields) -> RecordingView:
        stored = self._stored(name, fields)
        rows = self._rows(name, fields.integer("recordings", 0, MOST_ITEMS))
        starts = self._array(f"{name}.starts.npy", np.int64, (len(rows) + 1,))
        self._check_ascending(f"{name}.starts.npy", starts, last=len(stored))
        if starts[0] != 0 or starts[-1] != len(stored):
            raise SnapshotError(f"{self._folder / name}.starts.npy: must go from 0 to {len(stored)}")
        about = _about(name, fields)
        if not self._indexed(name, fields):
            return RecordingView(stored, rows, starts, None, **about)
        lists = self._lists(name, fields)
        if not self._known:
            check_within(self._folder / f"{name}.labels.npy", lists.labels, first=0, last=len(stored) - 1)
            release_arrays(lists.labels)
        files = self._file(name, "lists", lists.vectors), self._file(name, "labels", lists.labels)
        lists = replace(lists, files=files)
        return RecordingView(stored, rows, starts, _ivf(lists, fields), **about,
                             file=self._file(name, "vectors", stored), lists=lists)

    def _file(self, name: str, file: str, array: np.ndarray) -> RowFile:
        return RowFile(self._folder / f"{name}.{file}.npy", array)

    def _lists(self, name: str, fields: manifest.Fields) -> Lists:
        count, dimension = _shape(fields)
        listed = fields.integer("listed", count, 2 * count) if "listed" in fields else count
        lists = open_lists(self._array, name, (listed, dimension), lists=fields.integer("lists", 1, MOST_ITEMS),
                           groups=fields.integer("groups", 1, MOST_GROUPS))
        if not self._known:
            check_lists(self._folder, name, lists)
        return lists

    def _stored(self, name: str, fields: manifest.Fields) -> np.ndarray:
        return self._array(f"{name}.vectors.npy", np.int8, _shape(fields))

    def _rows(self, name: str, count: int) -> np.ndarray:
        rows = self._array(f"{name}.rows.npy", np.int32, (count,))
        self._check_ascending(f"{name}.rows.npy", rows, last=self._items - 1)
        return rows

    def _check_ascending(self, name: str, values: np.ndarray, *, last: int) -> None:
        if not self._known:
            check_ascending(self._folder / name, values, first=0, last=last)

    def _indexed(self, name: str, fields: manifest.Fields) -> bool:
        kind = fields.text("index")
        if kind not in ("exact", "ivf"):
            raise SnapshotError(f"{self._folder}: the {name:.40} view's index {kind!r:.40} must be exact or ivf")
        return kind == "ivf"

    def _array(self, name: str, dtype: type, shape: tuple[int, ...]) -> np.ndarray:
        _require(self._folder, self._listed, name)
        return open_array(self._folder / name, dtype, shape)


def _about(name: str, fields: manifest.Fields) -> dict[str, Any]:
    """What a view of recordings is told beside its arrays."""
    return {"name": name, "space": fields.text("space"),
            "hop_s": fields.number("hop_s") if "hop_s" in fields else HOP_S,
            "least_sureness": fields.number("least_sureness") if "least_sureness" in fields else LEAST_SURENESS}


def _shape(fields: manifest.Fields) -> tuple[int, int]:
    return fields.integer("count", 0, 1 << 40), fields.integer("dimension", 1, 4096)


def _ivf(lists: Lists, fields: manifest.Fields, places: np.ndarray | None = None) -> IvfIndex:
    probes = fields.fields("probes")
    return IvfIndex(lists, probes={k: probes.integer(str(k), 1, MOST_ITEMS) for k in NEIGHBOURS}, places=places)


def _require(folder: Path, listed: list[str], *names: str) -> None:
    """A file that the manifest does not list has not been verified; a name with a slash is never listed."""
    for name in names:
        if name not in listed:
            raise SnapshotError(f"{folder}: the manifest lists no {name!r:.80}")
