"""How much int8 loses against float, on data that calibration did not see, measured on the device's own engines."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge.context import unit
from edge.engine.base import Engine
from edge.engine.quantization import dequantize, quantize


@dataclass(frozen=True)
class Agreement:
    """Two sets of embeddings of the same inputs, compared."""

    cosine_mean: float
    cosine_p5: float
    """Five percent of the inputs lie below."""
    cosine_min: float
    neighbour_agreement: float
    """Share of inputs that, embedded the one way, find the same nearest other input embedded the other way."""

    def document(self) -> dict[str, float]:
        return {name: round(value, 5) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Thresholds:
    """Below any of these no bundle is written."""

    cosine_mean: float = 0.99
    cosine_p5: float = 0.97
    cosine_min: float = 0.9
    neighbour_agreement: float = 0.8
    formats_cosine_mean: float = 0.995
    """Mean cosine of the two formats with each other."""


def compare(reference: np.ndarray, measured: np.ndarray) -> Agreement:
    """np.ndarray [shape=(n, d), dtype=float32] twice, n >= 2."""
    reference, measured = unit(reference), unit(measured)
    cosine = np.sum(reference * measured, axis=1)
    return Agreement(
        cosine_mean=float(cosine.mean()),
        cosine_p5=float(np.quantile(cosine, 0.05)),
        cosine_min=float(cosine.min()),
        neighbour_agreement=float(np.mean(_nearest(reference, reference) == _nearest(measured, reference))),
    )


def _nearest(queries: np.ndarray, catalogue: np.ndarray) -> np.ndarray:
    similarity = queries @ catalogue.T
    np.fill_diagonal(similarity, -np.inf)
    return similarity.argmax(axis=1)


def embed_all(engine: Engine, inputs: np.ndarray) -> list[np.ndarray]:
    """Every input through an engine: float32 (n, ...) -> one float32 (n, d) per output."""
    rows = [engine.run(quantize(row[np.newaxis], engine.input)) for row in inputs]
    return [np.concatenate([dequantize(row[index], spec) for row in rows])
            for index, spec in enumerate(engine.outputs)]


def failures(what: str, agreement: Agreement, thresholds: Thresholds) -> list[str]:
    """Each figure below its threshold, in words."""
    checked = ("cosine_mean", "cosine_p5", "cosine_min", "neighbour_agreement")
    return [f"{what}: {name} {getattr(agreement, name):.4f} is below {getattr(thresholds, name)}"
            for name in checked if getattr(agreement, name) < getattr(thresholds, name)]


def between_formats(by_format: dict[str, list[np.ndarray]], views: Sequence[str]) -> dict[str, Any]:
    """Mean and least cosine of the formats with each other, per view; empty with a single format."""
    if len(by_format) < 2:
        return {}
    first, second = list(by_format.values())[:2]
    return {view: compare(a, b).document() for view, a, b in zip(views, first, second, strict=True)}
