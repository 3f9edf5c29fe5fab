"""Puts a collaborative model into a snapshot: the same catalogue with one more view, sealed again."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edge.catalog.index import SCALE
from edge.catalog.snapshot import Snapshot, open_snapshot
from edge.disk import sync_tree
from edge.errors import ExportError
from edge.manifest import FILE_NAME
from edge.recommend.collaborative import (
    DESCRIPTION_FILE,
    FOLD_FILE,
    FORMAT_VERSION,
    ITEM_COLUMNS,
    ITEMS_FILE,
    TABLES,
    VIEW,
)
from edge.recommend.lookup import CONTENT_VIEWS
from edge.recommend.ranker import FILE_NAME as RANKER_FILE
from edge.recommend.ranker import Ranker
from export.collaborative.content import Content, complete
from export.collaborative.factors import Factors
from export.collaborative.model import CollaborativeModel
from export.collaborative.neighbours import NeighbourTable
from export.collaborative.ranker_file import write_ranker
from export.manifest import seal
from export.replacement import recover, replace_folder


def add_to_snapshot(
    folder: Path, model: CollaborativeModel, items: list[str], *, out: Path | None = None, ranker: Ranker | None = None
) -> dict[str, Any]:
    """Write the snapshot ``folder`` with the model's view into ``out`` (by default in its place).

    ``ranker`` goes with it; without one, an older one goes. ``items`` are the ids of the model's items. Those that the
    snapshot does not have are left out; the snapshot's other items get factors predicted from their content. Killed at
    any moment, it leaves the old snapshot or the new one. Returns how many of each: {"matched": ..., "left_out": ...,
    "predicted": ...}. Raises ExportError when no item is common to both, SnapshotError when the folder is none.
    """
    folder, out = Path(folder), Path(out or folder)
    recover(out)
    with open_snapshot(folder) as snapshot:
        rows = _rows(snapshot, items)
        matched = rows >= 0
        if not matched.any():
            raise ExportError(f"none of the {len(items)} rated items is in {folder}: the ids must be the catalogue's")
        factors = _completed(snapshot, model, rows)
    with _remade(folder, out) as (made, manifest):
        manifest["views"][VIEW] = _write(made, model, factors, rows)
        (made / RANKER_FILE).unlink(missing_ok=True)
        if ranker is not None:
            write_ranker(made / RANKER_FILE, ranker)
    predicted = int(factors.directions.any(axis=1).sum()) - int(matched.sum())
    return {"matched": int(matched.sum()), "left_out": int((~matched).sum()), "predicted": max(0, predicted)}


def put_ranker(folder: Path, ranker: Ranker) -> None:
    """Give the snapshot another ranker, as add_to_snapshot does. Raises SnapshotError when the folder is none."""
    recover(folder)
    open_snapshot(folder).close()
    with _remade(folder, folder) as (made, _):
        write_ranker(made / RANKER_FILE, ranker)


@contextmanager
def _remade(folder: Path, out: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A copy of a snapshot to be changed and its manifest; sealed and put into the place ``out`` at the end.

    Nothing else stays beside it, not even of a run that was killed.
    """
    made = out.with_name(f".{out.name}.partial")
    shutil.rmtree(made, ignore_errors=True)
    made.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copytree(folder, made)
        manifest = json.loads((made / FILE_NAME).read_text(encoding="utf-8"))
        yield made, manifest
        seal(made, {key: value for key, value in manifest.items() if key != "files"})
        sync_tree(made)
        replace_folder(made, out)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _completed(snapshot: Snapshot, model: CollaborativeModel, rows: np.ndarray) -> Factors:
    """Factors for every item of the snapshot: the model's, and predicted ones where nobody has played it."""
    size, matched = len(snapshot.items), rows >= 0
    every = np.arange(size)

    def spread(values: np.ndarray) -> np.ndarray:
        result = np.zeros((size, *values.shape[1:]), values.dtype)
        result[rows[matched]] = values[matched]
        return result

    own = model.factors
    factors = replace(own, directions=spread(own.directions), scale=spread(own.scale), fold=spread(own.fold))
    vectors = {name: view.vectors(every)[0] for name, view in snapshot.views.items() if name in CONTENT_VIEWS}
    return complete(factors, Content(list(snapshot.items), vectors), spread(model.plays))


def _rows(snapshot: Snapshot, items: list[str]) -> np.ndarray:
    """The snapshot's row of each item, -1 for none: int64 (items,)."""
    known = {item.item: item.row for item in snapshot.items}
    return np.array([known.get(item, -1) for item in items], np.int64)


def _write(folder: Path, model: CollaborativeModel, factors: Factors, rows: np.ndarray) -> dict[str, Any]:
    """The files that edge/recommend/collaborative.py reads. Returns the view's entry for the manifest."""
    size = len(factors.scale)
    has = np.flatnonzero(factors.directions.any(axis=1))
    stored = np.rint(factors.directions[has] * SCALE).astype(np.int8)
    np.save(folder / f"{VIEW}.vectors.npy", stored)
    np.save(folder / f"{VIEW}.rows.npy", has.astype(np.int32))
    places = np.full(size, -1, np.int32)
    places[has] = np.arange(len(has))
    np.save(folder / f"{VIEW}.places.npy", places)
    np.save(folder / ITEMS_FILE, _item_table(model, factors, rows))
    np.save(folder / FOLD_FILE, np.asarray(factors.spectrum, np.float32))
    for name, table in zip(TABLES, (model.neighbours, model.followers), strict=True):
        near, weights = _translated(table, rows, size)
        np.save(folder / f"{name}.rows.npy", near)
        np.save(folder / f"{name}.weights.npy", weights)
    description = {"format": FORMAT_VERSION, "method": factors.method, "neighbours": near.shape[1],
                   "regularization": factors.regularization, "alpha": factors.alpha}  # fmt: skip
    (folder / DESCRIPTION_FILE).write_text(json.dumps(description, sort_keys=True) + "\n", encoding="utf-8")
    digest = hashlib.sha256(stored.tobytes()).hexdigest()[:12]
    return {"space": f"{factors.method}{stored.shape[1]}@{digest}", "dimension": stored.shape[1], "count": len(stored),
            "index": "exact"}  # fmt: skip


def _item_table(model: CollaborativeModel, factors: Factors, rows: np.ndarray) -> np.ndarray:
    """ITEM_COLUMNS for every item of the snapshot."""
    of_items = {"scale": factors.scale, "fold": factors.fold}
    of_rated = {"neighbours": model.neighbours.scale, "followers": model.followers.scale,
                "popularity": model.popularity, "liked": model.liked, "exposure": model.exposure}  # fmt: skip
    table, matched = np.zeros((len(ITEM_COLUMNS), len(factors.scale)), np.float32), rows >= 0
    for line, name in zip(table, ITEM_COLUMNS, strict=True):
        if name in of_items:
            line[:] = of_items[name]
        else:
            line[rows[matched]] = of_rated[name][matched]
    return table


def _translated(table: NeighbourTable, rows: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours by the snapshot's rows, int32, and weights, int8; those that it does not have weigh nothing."""
    matched = rows >= 0
    there = rows[table.items[matched]]
    near, weights = np.zeros((size, there.shape[1]), np.int32), np.zeros((size, there.shape[1]), np.int8)
    near[rows[matched]] = np.maximum(there, 0)
    weights[rows[matched]] = np.where(there >= 0, table.weights[matched], 0)
    return near, weights
