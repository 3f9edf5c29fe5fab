"""A map of a catalogue: what is alike lies near, one page of HTML without outside parts, titles where one points.

Each view's vectors are laid out on a plane by t-SNE (van der Maaten and Hinton, JMLR 2008) from their cosines, which
keeps neighbours together; distances between groups say little.
"""

import html
import json
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from edge.catalog.items import Item
from edge.catalog.snapshot import Snapshot, open_snapshot
from edge.errors import ExportError

MOST_ITEMS = 5000
"""Of a larger catalogue, so many evenly spread ones are shown."""
FEWEST_ITEMS = 4
PERPLEXITY = 30.0
SEED = 0
GROUPS = 10
"""So many artists (or films) have a colour of their own, the others are grey."""


def write_map(catalog: Path, out: Path) -> dict[str, Any]:
    """Write the page. Returns how many items each view of it shows.

    The same catalogue gives the same page. Raises SnapshotError, ExportError when there is nothing to show or the page
    cannot be written.
    """
    with open_snapshot(catalog) as snapshot:
        views = {name: found for name in snapshot.views if (found := _view(snapshot, name)) is not None}
        if not views:
            raise ExportError(f"{catalog}: has no view of {FEWEST_ITEMS} items or more to be shown")
        title = f"{snapshot.name} {snapshot.version}"
    page = resources.files("export.catalog").joinpath("map.html").read_text(encoding="utf-8")
    data = json.dumps(views, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    page = page.replace("@TITLE@", html.escape(title)).replace("@DATA@", data)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise ExportError(f"--out {out}: cannot be written: {error.strerror or error}") from error
    return {"map": str(out), "views": {name: len(view["items"]) for name, view in views.items()}}


def _view(snapshot: Snapshot, name: str) -> dict[str, Any] | None:
    rows = np.arange(len(snapshot.items))
    vectors, known = snapshot.views[name].vectors(rows)
    rows = rows[known]
    if len(rows) < FEWEST_ITEMS:
        return None
    shown = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_ITEMS)).astype(int))]
    items = snapshot.items.by_rows(shown.tolist())
    places = plane(vectors[shown])
    groups = [_group(item) for item in items]
    names, counts = np.unique([group for group in groups if group], return_counts=True)
    largest = [str(names[at]) for at in np.argsort(-counts, kind="stable")[:GROUPS]]
    return {"of": len(rows), "groups": largest, "items": [
        [round(float(x), 4), round(float(y), 4), largest.index(group) if group in largest else -1, _label(item)]
        for (x, y), group, item in zip(places, groups, items, strict=True)]}


def plane(vectors: np.ndarray) -> np.ndarray:
    """Unit vectors, float32 (n, d), n >= 4 -> places in the unit square, float64 (n, 2)."""
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    found = TSNE(perplexity=perplexity, metric="cosine", init="random", random_state=SEED, n_jobs=1
                 ).fit_transform(vectors).astype(np.float64)
    low, high = found.min(axis=0), found.max(axis=0)
    return (found - low) / np.maximum(high - low, 1e-9)


def _group(item: Item) -> str | None:
    """The film of a shot, the artist of a track."""
    return item.channel if item.kind == "shot" else item.artist or item.album


def _label(item: Item) -> str:
    return " · ".join(filter(None, (item.title, item.artist, item.album, item.genre)))
