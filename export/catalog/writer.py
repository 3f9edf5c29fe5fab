"""The only place that writes a snapshot (edge/catalog/snapshot.py). The same inputs give the same bytes."""

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge.catalog.items import Item
from edge.catalog.snapshot import FORMAT_VERSION, ITEMS_FILE
from edge.errors import ExportError
from edge.manifest import FILE_NAME
from export.catalog.texts import FacetColumns, ItemsFile
from export.catalog.vectors import ViewFiles
from export.manifest import seal
from export.replacement import recover, replace_folder

IVF_FROM_VECTORS = 10_000
"""From here on a view gets an index. Below, exact search is as fast (benchmarks/search.py)."""
IVF_FROM_WINDOWS = 200_000
"""The same for windows, which are looked up once for each new sound rather than several times for each list."""


@dataclass(frozen=True)
class ViewSpec:
    space: str
    dimension: int
    windows: bool = False
    """An item may have several vectors, one every ``hop_s`` where that is said: "which recording is this?"."""
    hop_s: float | None = None
    least_sureness: float | None = None
    """Less sure than this, a match names nothing."""

    def entry(self) -> dict[str, float]:
        """What the manifest says of windows."""
        said = {"hop_s": self.hop_s, "least_sureness": self.least_sureness}
        return {name: value for name, value in said.items() if value is not None}


class SnapshotWriter:
    """Takes items one at a time, in the order of their rows; the snapshot appears, whole, at ``finish``.

    A context manager: left without ``finish``, nothing is left behind and an older snapshot stays as it was.
    """

    def __init__(
        self, folder: Path, views: Mapping[str, ViewSpec], *, name: str, version: str | None = None,
        ivf_from: int | None = None,
    ):
        """``version``: by default made of the content. ``ivf_from``: vectors from which a view gets an index."""
        self._folder, self._name, self._version, self._ivf_from = Path(folder), name, version, ivf_from
        recover(self._folder)
        _check_replaceable(self._folder)
        self._scratch = self._folder.with_name(f".{self._folder.name}.partial")
        shutil.rmtree(self._scratch, ignore_errors=True)  # of a build that was killed
        self._made = self._scratch / "new"
        self._made.mkdir(parents=True)
        self._items, self._facets = ItemsFile(self._made / ITEMS_FILE), FacetColumns()
        self._specs = dict(views)
        self._views = {view: ViewFiles(self._made, view, space=spec.space, dimension=spec.dimension,
                                       windows=spec.windows) for view, spec in views.items()}
        self.count = 0

    def add(self, item: Item, vectors: Mapping[str, np.ndarray]) -> None:
        """Append an item; its row is set here.

        ``vectors``: view to np.ndarray [shape=(d,), or (n, d) for a view with windows], float of any length, or int8
        as stored; a view may be missing. Raises ExportError for an id that is there already, a vector that is zero,
        not finite or of another length, an unknown view.
        """
        item = replace(item, row=self.count)
        if unknown := vectors.keys() - self._views.keys():
            raise ExportError(f"item {item.item!r:.80} has a vector for {', '.join(sorted(unknown))!s:.80}, which is "
                              f"no view of this snapshot; it has {', '.join(self._views)}")
        for view, given in vectors.items():
            self._views[view].add(item.row, np.asarray(given))
        self._items.add(item)
        self._facets.add(item)
        self.count += 1

    def finish(self) -> str:
        """Build the indexes, seal the folder and put it into place. Returns the version."""
        if self.count == 0:
            raise ExportError(f"{self._folder}: there is nothing to put into the catalogue")
        self._items.close()
        self._facets.write(self._made)
        views = {view: files.close(self.count, ivf_from=self._from(view)) | self._specs[view].entry()
                 for view, files in self._views.items()}
        version = self._version or _content_version(self._made)
        seal(self._made, {"format": FORMAT_VERSION, "name": self._name, "version": version, "items": self.count,
                          "views": views})
        _flush(self._made)
        replace_folder(self._made, self._folder)
        return version

    def _from(self, view: str) -> int:
        if self._ivf_from is not None:
            return self._ivf_from
        return IVF_FROM_WINDOWS if self._specs[view].windows else IVF_FROM_VECTORS

    def __enter__(self) -> "SnapshotWriter":
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)


@dataclass(frozen=True)
class ViewData:
    """``vectors``: float32 (n, d), any length; ``rows``: the item row of each, ascending, int (n,)."""

    space: str
    vectors: np.ndarray
    rows: np.ndarray
    windows: bool = False
    """As in ViewSpec."""


def write_snapshot(
    folder: Path, items: Sequence[Item], views: Mapping[str, ViewData], *, name: str, version: str | None = None,
    ivf_from: int | None = None,
) -> str:
    """A snapshot of what is in memory already. Returns its version.

    Raises ExportError when rows, ids or vectors do not fit together.
    """
    _check(items, views)
    specs = {view: ViewSpec(data.space, data.vectors.shape[1], data.windows) for view, data in views.items()}
    bounds = {view: np.searchsorted(data.rows, np.arange(len(items) + 1)) for view, data in views.items()}
    with SnapshotWriter(folder, specs, name=name, version=version, ivf_from=ivf_from) as writer:
        for item in items:
            parts = {view: data.vectors[bounds[view][item.row] : bounds[view][item.row + 1]]
                     for view, data in views.items()}
            writer.add(item, {view: part for view, part in parts.items() if len(part)})
        return writer.finish()


def _check(items: Sequence[Item], views: Mapping[str, ViewData]) -> None:
    if [item.row for item in items] != list(range(len(items))):
        raise ExportError("items must be in the order of their rows, from 0")
    for name, data in views.items():
        rows = np.asarray(data.rows)
        if len(rows) != len(data.vectors) or (len(rows) and (rows[0] < 0 or rows[-1] >= len(items))):
            raise ExportError(f"view {name}: {len(data.vectors)} vectors for {len(rows)} rows of {len(items)} items")
        if (np.diff(rows) < (0 if data.windows else 1)).any():
            raise ExportError(f"view {name}: rows must ascend")


def _check_replaceable(folder: Path) -> None:
    if folder.exists() and not (folder / FILE_NAME).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise ExportError(f"{folder} is there and is no snapshot; give another place for the catalogue")


def _content_version(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            digest.update(f"{path.name}\n".encode() + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]


def _flush(folder: Path) -> None:
    """To the disk, before the name: after a power cut the name stands for all of the content or none."""
    for path in (*folder.iterdir(), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
