"""What a release's self-test is to give, measured on the machine that publishes it, in every runtime that is here."""

from pathlib import Path
from typing import Any

import numpy as np

from edge.bundle import Bundle, Model
from edge.catalog.snapshot import Snapshot
from edge.catalog.text import query_phrases
from edge.errors import ExportError, RuntimeMissingError
from edge.update.release import SelfTest
from edge.update.selftest import LEAST_COSINE, SEARCHED, check_catalogue, vectors

RUNTIMES = ("litert", "onnx")
DIGITS = 5


def self_test(bundle: Bundle, snapshot: Snapshot) -> dict[str, Any]:
    """The ``self_test`` of release.json. Raises ExportError when runtimes disagree, UpdateError for no answer."""
    expected = SelfTest(
        outputs={kind: _outputs(model) for kind, model in bundle.models.items()},
        nearest=dict(_nearest(snapshot)), words=_words(snapshot))
    check_catalogue(snapshot, expected)
    return {"outputs": expected.outputs, "nearest": expected.nearest, "words": expected.words}


def _outputs(model: Model) -> dict[str, list[float]]:
    found = {runtime: vectors(model, runtime) for runtime in model.files if _installed(runtime, model.files[runtime])}
    if not found:
        raise ExportError(f"{model.folder}: no runtime that is installed here runs its {model.kind} model")
    first, *others = found.values()
    for other in others:
        for view, vector in first.items():
            if (cosine := float(np.dot(vector, other[view]))) < LEAST_COSINE:
                raise ExportError(f"{model.folder}: the {model.kind} model's {view} output differs between "
                                  f"{' and '.join(found)}: cosine {cosine:.3f}, at least {LEAST_COSINE} is wanted")
    return {view: [round(float(value), DIGITS) for value in vector] for view, vector in first.items()}


def _installed(runtime: str, path: Path) -> bool:
    from edge.engine.open import open_engine

    try:
        open_engine(runtime, path).close()
    except RuntimeMissingError:
        return False
    return True


def _nearest(snapshot: Snapshot) -> list[tuple[str, str]]:
    """For each view an item of it, from the middle of the catalogue on."""
    found = []
    for name, view in snapshot.views.items():
        rows = (*range(len(snapshot.items) // 2, len(snapshot.items)), *range(len(snapshot.items) // 2))
        row = next((row for row in rows if view.vector(row) is not None), None)
        if row is not None:
            found.append((name, snapshot.items.by_row(row).item))
    return found


def _words(snapshot: Snapshot) -> dict[str, str]:
    """An item that its own title finds."""
    for item in snapshot.items:
        if not query_phrases(item.title):
            continue
        rows = [row for row, _ in snapshot.items.search(item.title, SEARCHED)]
        if item.row in rows:
            return {"text": item.title, "item": item.item}
    return {}
