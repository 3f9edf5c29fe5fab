"""The only place that writes a snapshot (edge/catalog/snapshot.py). The same inputs give the same bytes."""

import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from edge.catalog.items import COLUMNS, SCHEMA, Item
from edge.catalog.snapshot import FORMAT_VERSION, ITEMS_FILE
from edge.catalog.text import spaced
from edge.catalog.view import SCALE
from edge.context import unit
from edge.errors import ExportError
from export.manifest import seal

IVF_FROM_VECTORS = 50_000
"""Below, exact search takes less than 5 ms and needs no faiss in the device's memory (benchmarks/search.py)."""


@dataclass(frozen=True)
class ViewData:
    """``vectors``: float32 (n, d), normalised here; ``rows``: the item row of each, ascending, int (n,)."""

    space: str
    vectors: np.ndarray
    rows: np.ndarray
    windows: bool = False
    """An item may have several vectors: the view answers "which recording is this?"."""


def write_snapshot(
    folder: Path, items: Sequence[Item], views: Mapping[str, ViewData], *, name: str, version: str,
    ivf_from: int = IVF_FROM_VECTORS,
) -> None:
    """Write beside the folder and rename into place. Raises ExportError when rows or ids do not fit together."""
    folder = Path(folder)
    _check(items, views)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        made = Path(scratch) / "new"
        made.mkdir()
        _write_items(made / ITEMS_FILE, items)
        described = {view: _write_view(made, view, data, ivf_from) for view, data in views.items()}
        seal(made, {"format": FORMAT_VERSION, "name": name, "version": version, "items": len(items),
                    "views": described})
        if folder.exists():
            folder.rename(Path(scratch) / "old")
        made.rename(folder)


def _check(items: Sequence[Item], views: Mapping[str, ViewData]) -> None:
    if [item.row for item in items] != list(range(len(items))):
        raise ExportError("items must be in the order of their rows, from 0")
    if len({item.item for item in items}) != len(items):
        raise ExportError("two items have the same id")
    for name, data in views.items():
        rows = data.rows
        steps = np.diff(rows)
        if len(rows) != len(data.vectors) or (len(rows) and (rows[0] < 0 or rows[-1] >= len(items))):
            raise ExportError(f"view {name}: {len(data.vectors)} vectors for {len(rows)} rows of {len(items)} items")
        if (steps < 0).any() or (not data.windows and (steps == 0).any()):
            raise ExportError(f"view {name}: rows must ascend")


def _write_items(path: Path, items: Sequence[Item]) -> None:
    database = sqlite3.connect(path)
    with database:
        database.executescript(SCHEMA)
        database.executemany(f"INSERT INTO items VALUES ({', '.join('?' * len(COLUMNS))})", map(astuple, items))
        database.executemany(
            "INSERT INTO texts (rowid, title, artist, album, genre) VALUES (?, ?, ?, ?, ?)",
            ((item.row, *(spaced(text or "") for text in (item.title, item.artist, item.album, item.genre)))
             for item in items))
        database.execute("INSERT INTO texts (texts) VALUES ('optimize')")
    database.execute("VACUUM")
    database.close()


def _write_view(folder: Path, name: str, data: ViewData, ivf_from: int) -> dict[str, object]:
    vectors = np.rint(unit(data.vectors) * SCALE).astype(np.int8)
    np.save(folder / f"{name}.vectors.npy", vectors)
    np.save(folder / f"{name}.rows.npy", np.asarray(data.rows, np.int32))
    ivf = not data.windows and len(vectors) >= ivf_from
    if ivf:
        _write_index(folder / f"{name}.faiss", unit(data.vectors))
    described = {"space": data.space, "dimension": int(vectors.shape[1]), "count": len(vectors),
                 "index": "ivf" if ivf else "exact"}
    return {**described, "windows": True} if data.windows else described


def _write_index(path: Path, vectors: np.ndarray) -> None:
    """Inverted lists, about one per square root of the number of vectors, 8 bits a dimension, inner product."""
    import faiss

    faiss.omp_set_num_threads(1)
    lists = 1 << round(np.log2(max(16, np.sqrt(len(vectors)))))
    index = faiss.index_factory(vectors.shape[1], f"IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
    sample = vectors[np.random.default_rng(0).permutation(len(vectors))[: lists * 64]]
    index.train(sample)
    index.add(vectors)
    faiss.write_index(index, str(path))
