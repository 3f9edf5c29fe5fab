"""Scores candidates by their features: a linear part that can be read, and a small network on top where one was
trained (export/training/ranking.py). Written as JSON, so that anyone can see what counts.

    {"format": 1, "features": ["heard", ...], "linear": [6.0, ...], "bias": -3.0,
     "mean": [...], "scale": [...],
     "hidden": null or {"weights": [[...]], "bias": [...], "output": [...]}}
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge import manifest
from edge.catalog.snapshot import Snapshot
from edge.errors import SnapshotError
from edge.recommend.feature_names import NAMES
from edge.recommend.parts import listed

FORMAT_VERSION = 1
FILE_NAME = "ranker.json"
MAX_HIDDEN = 256
PRIOR = {
    "heard": 6.0,
    "seen": 4.0,
    "audio_short": 2.5,
    "audio_long": 2.0,
    "video_short": 1.5,
    "video_long": 1.0,
    "words": 5.0,
    "artist": 1.0,
    "artist_skips": -0.6,
    "genre_long": 0.6,
    "genre_short": 0.3,
    "era": -0.1,
    "playing_artist": 0.3,
    "own": 0.5,
    "popularity": 0.8,
    "well_liked": 0.5,
    "newness": 0.2,
    "shown_lately": -0.3,
    "collaborative_long": 0.7,
    "collaborative_short": 0.3,
    "neighbours_long": 0.4,
    "neighbours_short": 0.2,
    "collaborative_place": 0.5,
    "neighbours_place": 0.2,
    "follows": 0.1,
    "follows_place": 0.2,
    "history": 0.0,
}
"""What is assumed while nothing was trained: the moment before the taste, the taste before the crowd."""
PRIOR_BIAS = -3.0


@dataclass(frozen=True)
class Hidden:
    """One layer of rectified units: weights float32 (features, units), bias (units,), output (units,)."""

    weights: np.ndarray
    bias: np.ndarray
    output: np.ndarray


@dataclass(frozen=True)
class Ranker:
    """score = x . linear + bias + relu(x . weights + hidden bias) . output, for x = (features - mean) / scale."""

    linear: np.ndarray
    bias: float
    mean: np.ndarray
    scale: np.ndarray
    hidden: Hidden | None = None

    def score(self, values: np.ndarray) -> np.ndarray:
        """Log-odds-like scores, any real number, float32 (n,), of features (n, len(NAMES))."""
        x = ((values - self.mean) / self.scale).astype(np.float32)
        scores = x @ self.linear + np.float32(self.bias)
        if self.hidden is not None:
            scores += np.maximum(x @ self.hidden.weights + self.hidden.bias, 0) @ self.hidden.output
        return scores

    def contributions(self, values: np.ndarray, among: np.ndarray) -> np.ndarray:
        """How much each feature lifts a candidate above the same candidate with that feature at its average.

        Parameters
        ----------
        values : np.ndarray [shape=(n, features), dtype=float32]
        among : np.ndarray [shape=(m, features), dtype=float32]
            The candidates that the average is taken over.

        Returns
        -------
        np.ndarray [shape=(n, features), dtype=float32]
            In units of the score.
        """
        n, width = values.shape
        changed = np.repeat(values[:, None, :], width, axis=1)
        index = np.arange(width)
        changed[:, index, index] = among.mean(axis=0)
        without = self.score(changed.reshape(n * width, width)).reshape(n, width)
        return self.score(values)[:, None] - without


def prior() -> Ranker:
    width = len(NAMES)
    linear = np.array([PRIOR[name] for name in NAMES], np.float32)
    return Ranker(linear, PRIOR_BIAS, np.zeros(width, np.float32), np.ones(width, np.float32))


def of_snapshot(snapshot: Snapshot) -> Ranker:
    """The ranker that was trained for this catalogue, or the prior. Raises SnapshotError when it is not one."""
    return load(snapshot.path / FILE_NAME) if FILE_NAME in listed(snapshot) else prior()


def load(path: Path) -> Ranker:
    """Read a ranker from a file that was verified before. Raises SnapshotError that names the file and the key."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SnapshotError(f"{path}: the ranker cannot be read: {error!s:.120}") from error
    fields = manifest.Fields(document, str(path), SnapshotError)
    fields.integer("format", FORMAT_VERSION, FORMAT_VERSION)
    names = fields.rows("features")
    if tuple(names) != NAMES:
        raise SnapshotError(f"{path}: the ranker's features are not this version's; train it again with this version")
    width = len(NAMES)
    scale = _numbers(path, "scale", fields.rows("scale"), (width,))
    if not (scale > 0).all():
        raise SnapshotError(f"{path}: every 'scale' must be above 0")
    return Ranker(
        linear=_numbers(path, "linear", fields.rows("linear"), (width,)),
        bias=fields.number("bias"),
        mean=_numbers(path, "mean", fields.rows("mean"), (width,)),
        scale=scale,
        hidden=None if fields.plain().get("hidden") is None else _hidden(path, fields.fields("hidden"), width),
    )


def _hidden(path: Path, fields: manifest.Fields, width: int) -> Hidden:
    units = len(fields.rows("bias"))
    if not 1 <= units <= MAX_HIDDEN:
        raise SnapshotError(f"{path}: {units} hidden units; 1 to {MAX_HIDDEN} are allowed")
    return Hidden(
        weights=_numbers(path, "weights", fields.rows("weights"), (width, units)),
        bias=_numbers(path, "bias", fields.rows("bias"), (units,)),
        output=_numbers(path, "output", fields.rows("output"), (units,)),
    )


def _numbers(path: Path, key: str, rows: list[Any], shape: tuple[int, ...]) -> np.ndarray:
    try:
        values = np.array(rows, np.float32)
    except (ValueError, TypeError) as error:
        raise SnapshotError(f"{path}: {key!r} must be numbers") from error
    if values.shape != shape or not np.isfinite(values).all():
        raise SnapshotError(f"{path}: {key!r} must be finite numbers of shape {shape}, not {values.shape}")
    return values
