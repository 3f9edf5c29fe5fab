"""Known input, known output: whether a release's models and catalogue do on this machine what they did where they
were made."""

from collections.abc import Iterable

import numpy as np

from edge.audio.encoder import AudioEncoder
from edge.bundle import Bundle, Model
from edge.catalog.snapshot import Snapshot
from edge.catalog.view import View
from edge.context import unit
from edge.engine.base import Engine
from edge.engine.open import open_engine
from edge.engine.quantization import dequantize
from edge.errors import UpdateError
from edge.update import probe
from edge.update.release import SelfTest

LEAST_COSINE = 0.97
"""Runtimes and processors round differently: the two formats of one model agree to .998 on real sound."""
TIED = 1e-3
"""Scores closer than this may come in any order."""
SEARCHED = 50


def vectors(model: Model, runtime: str) -> dict[str, np.ndarray]:
    """What a model makes of its probe: view to np.ndarray [shape=(dimension,), dtype=float32], of length 1.

    Raises BundleError, EngineError, and UpdateError when nothing comes out.
    """
    with open_engine(runtime, model.file(runtime)) as engine:
        found = _understood(model, engine)
    for view, vector in found.items():
        if not np.isfinite(vector).all() or not vector.any():
            raise UpdateError(f"{model.folder}: the {model.kind} model makes nothing of the self-test in {view}")
    return found


def _understood(model: Model, engine: Engine) -> dict[str, np.ndarray]:
    if model.kind == "audio":
        encoder = AudioEncoder(model, engine, hop_s=1.0)
        embeddings = encoder.push(probe.sound(int(encoder.window_s * 16000) + 1)) + encoder.flush()
        return embeddings[0].vectors if embeddings else {}
    if model.kind == "video":
        from edge.video.encoder import VideoEncoder

        embedding = VideoEncoder(model, engine).encode(probe.picture())
        return embedding.vectors if embedding else {}
    raw = engine.run(probe.integers(engine.input.shape))
    return {output.view: unit(dequantize(values, spec).ravel())
            for output, values, spec in zip(model.outputs, raw, engine.outputs, strict=True)}


def check(bundle: Bundle, snapshot: Snapshot, expected: SelfTest, *, kinds: Iterable[str], runtime: str) -> None:
    """Raises UpdateError naming what came out wrong; EngineError, BundleError, SnapshotError for what does not run."""
    for kind in kinds:
        if kind in bundle.models:
            _check_model(bundle.model(kind), expected.outputs.get(kind, {}), runtime)
    check_catalogue(snapshot, expected)


def _check_model(model: Model, expected: dict[str, list[float]], runtime: str) -> None:
    if not expected:
        raise UpdateError(f"the release has no self-test of its {model.kind} model; publish it again")
    found = vectors(model, runtime)
    for view, values in expected.items():
        if view not in found or len(values) != found[view].size:
            raise UpdateError(f"the {model.kind} model has no output {view:.40} of {len(values)} numbers")
        cosine = float(np.dot(unit(np.array(values)), found[view]))
        if not cosine >= LEAST_COSINE:
            raise UpdateError(f"self-test: the {model.kind} model's {view:.40} output has cosine {cosine:.3f} to what "
                              f"it was where it was made; at least {LEAST_COSINE} is wanted")


def check_catalogue(snapshot: Snapshot, expected: SelfTest) -> None:
    """Every item named is found by its own vector, and by its words. Raises UpdateError, SnapshotError."""
    for view, item in expected.nearest.items():
        if view not in snapshot.views:
            raise UpdateError(f"self-test: the catalogue has no view {view:.40}")
        _check_nearest(snapshot, snapshot.views[view], item)
    if expected.words:
        found = snapshot.items.search(expected.words["text"], SEARCHED)
        if expected.words["item"] not in [item.item for item in snapshot.items.by_rows([row for row, _ in found])]:
            raise UpdateError(f"self-test: {expected.words['text']!r:.80} does not find {expected.words['item']!r:.80}")


def _check_nearest(snapshot: Snapshot, view: View, item: str) -> None:
    known = snapshot.items.by_id(item)
    vector = view.vector(known.row) if known else None
    if known is None or vector is None:
        raise UpdateError(f"self-test: the {view.name:.40} view has no vector of {item!r:.80}")
    rows, scores = view.search(vector, SEARCHED)
    if known.row not in rows[scores >= scores.max(initial=-1.0) - TIED]:
        raise UpdateError(f"self-test: in the {view.name:.40} view, the vector of {item!r:.80} does not find it")
