"""A snapshot: an immutable catalogue on disk, verified, checked against the bundle's spaces and memory-mapped.

A folder sealed by a manifest (edge/manifest.py). Layout of ``manifest.json``, format 1::

    {"format": 1, "name": "roomtone-default", "version": "1", "items": 310,
     "views": {"audio": {"space": "musicnn-msd-pca64@...", "dimension": 64, "count": 200, "index": "exact"},
               "recording": {"space": "...", "dimension": 64, "count": 9000, "index": "exact", "windows": true}},
     "files": {"items.sqlite": {...}, "audio.vectors.npy": {...}, "audio.rows.npy": {...}, ...}}

``index`` is ``exact`` or ``ivf`` (then VIEW.faiss is there too); ``windows`` says that an item has several vectors.
"""

from dataclasses import dataclass
from pathlib import Path

from edge import manifest
from edge.catalog.items import Items
from edge.catalog.view import RecordingView, Vectors, View, open_index
from edge.errors import SnapshotError

FORMAT_VERSION = 1
DEFAULT = Path(__file__).resolve().parent.parent / "assets" / "catalog"
ITEMS_FILE = "items.sqlite"


@dataclass(frozen=True)
class Snapshot:
    """A context manager."""

    path: Path
    name: str
    version: str
    items: Items
    views: dict[str, View]
    recordings: RecordingView | None
    """The view that says which recording is heard, when the snapshot has one."""
    size_bytes: int

    def close(self) -> None:
        self.items.close()

    def __enter__(self) -> "Snapshot":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_snapshot(path: str | Path = DEFAULT, *, spaces: dict[str, str] | None = None) -> Snapshot:
    """Verify and open a catalogue.

    ``spaces``: view to space of the bundle in use (Bundle.spaces); a view of both must be of one space. None skips
    the check. Raises SnapshotError naming the file or both spaces.
    """
    folder = Path(path)
    fields = manifest.read(folder, format_version=FORMAT_VERSION, error=SnapshotError)
    files = fields.fields("files")
    _require(folder, files, ITEMS_FILE)
    count, announced = fields.integer("items", 0, 1 << 31), fields.fields("views")
    opened = {name: _open_view(folder, name, announced.fields(name), files, count, spaces or {})
              for name in announced.keys()}
    recordings = [view for view in opened.values() if isinstance(view, RecordingView)]
    return Snapshot(
        path=folder,
        name=fields.text("name"),
        version=fields.text("version"),
        items=Items(folder / ITEMS_FILE, count),
        views={name: view for name, view in opened.items() if isinstance(view, View)},
        recordings=recordings[0] if recordings else None,
        size_bytes=sum(files.fields(name).integer("bytes") for name in files.keys()),
    )


def _open_view(
    folder: Path, name: str, fields: manifest.Fields, files: manifest.Fields, items: int, spaces: dict[str, str]
) -> View | RecordingView:
    space, dimension, count = fields.text("space"), fields.integer("dimension", 1, 4096), fields.integer("count")
    if spaces.get(name, space) != space:
        raise SnapshotError(f"{folder}: its {name} view lies in the space {space!r:.80}, the bundle's models in "
                            f"{spaces[name]!r:.80}; build the catalogue with this bundle, or use its own bundle")
    for suffix in ("vectors.npy", "rows.npy"):
        _require(folder, files, f"{name}.{suffix}")
    vectors = Vectors(folder, name, count, dimension, items)
    if fields.plain().get("windows") is True:
        return RecordingView(vectors, name=name, space=space)
    index = None
    if fields.text("index") == "ivf":
        _require(folder, files, f"{name}.faiss")
        index = open_index(folder / f"{name}.faiss", count, dimension)
    return View(vectors, name=name, space=space, index=index)


def _require(folder: Path, files: manifest.Fields, name: str) -> None:
    if name not in files.keys():
        raise SnapshotError(f"{folder}: the manifest lists no {name!r:.80}")
