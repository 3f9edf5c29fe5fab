"""How much int8 loses against float, on data that calibration did not see, measured on the device's own engines."""

import tempfile
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from edge.context import unit
from edge.engine.base import Engine
from edge.engine.open import open_engine
from edge.engine.quantization import dequantize, quantize

COLLAPSED = 0.99
"""Embeddings of different inputs that are so alike leave nothing for int8 to keep."""


@dataclass(frozen=True)
class Agreement:
    """Two sets of embeddings of the same inputs, compared.

    A score (dimension 1) has no direction: there the scores of all inputs are taken as one vector, less its mean.
    """

    cosine_mean: float
    cosine_p5: float
    """Five percent of the inputs lie below."""
    cosine_min: float
    neighbour_agreement: float
    """Share of inputs that, embedded the one way, find the same nearest other input embedded the other way; for
    scores, share of pairs in the same order."""
    top1_agreement: float | None = None
    """For a classifier: share of inputs of the same best class."""
    between_inputs: float | None = None
    """Mean cosine between different inputs in the first set: what the cosines above have to be seen against."""

    def document(self) -> dict[str, float]:
        return {name: round(value, 5) for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Thresholds:
    """Below any of these no bundle is written."""

    cosine_mean: float = 0.99
    cosine_p5: float = 0.97
    cosine_min: float = 0.9
    neighbour_agreement: float = 0.8
    top1_agreement: float = 0.95
    formats_cosine_mean: float = 0.995
    """Mean cosine of the two formats with each other."""


@dataclass(frozen=True)
class Verdict:
    """Figures for the manifest, and what is below a threshold, in words."""

    figures: dict[str, Any]
    problems: list[str] = field(default_factory=list)


def judge(
    files: dict[str, bytes], inputs: np.ndarray, reference: list[np.ndarray], views: Sequence[str],
    thresholds: Thresholds, *, classes: bool = False, exclusive: Collection[str] = (),
) -> Verdict:
    """Run each runtime's file over inputs (n, ...) and compare with the float model's answers, (n, d) per view.

    ``exclusive``: views whose numbers are the logits of classes. Their best class is compared in place of their
    neighbours, of which sure answers have many that are as near.
    """
    measured = {runtime: embed(runtime, content, inputs) for runtime, content in files.items()}
    figures: dict[str, Any] = {"inputs": len(inputs)}
    problems = []
    for runtime, embedded in measured.items():
        figures[runtime] = {}
        for view, wanted, got in zip(views, reference, embedded, strict=True):
            found = compare(wanted, got, classes=classes or view in exclusive)
            figures[runtime][view] = found.document()
            judged = replace(found, neighbour_agreement=1.0) if view in exclusive else found
            problems += failures(f"{view} in {runtime}", judged, thresholds)
    figures["formats"] = between_formats(measured, views)
    for view, between in figures["formats"].items():
        if between["cosine_mean"] < thresholds.formats_cosine_mean:
            problems.append(f"{view}: the formats' mean cosine {between['cosine_mean']:.4f} is below "
                            f"{thresholds.formats_cosine_mean}")
    return Verdict(figures, problems)


def compare(reference: np.ndarray, measured: np.ndarray, *, classes: bool = False) -> Agreement:
    """np.ndarray [shape=(n, d), dtype=float32] twice, n >= 2."""
    if reference.shape[1] == 1:
        return _compare_scores(reference[:, 0], measured[:, 0])
    top1 = float(np.mean(reference.argmax(axis=1) == measured.argmax(axis=1))) if classes else None
    reference, measured = unit(reference), unit(measured)
    cosine = np.sum(reference * measured, axis=1)
    return Agreement(
        cosine_mean=float(cosine.mean()),
        cosine_p5=float(np.quantile(cosine, 0.05)),
        cosine_min=float(cosine.min()),
        neighbour_agreement=float(np.mean(_nearest(reference, reference) == _nearest(measured, reference))),
        top1_agreement=top1,
        between_inputs=_between(reference),
    )


def _compare_scores(reference: np.ndarray, measured: np.ndarray) -> Agreement:
    cosine = float(unit(reference - reference.mean()) @ unit(measured - measured.mean()))
    first, second = np.triu_indices(len(reference), 1)
    same = np.sign(reference[first] - reference[second]) * np.sign(measured[first] - measured[second]) >= 0
    return Agreement(cosine, cosine, cosine, float(same.mean()))


def _between(vectors: np.ndarray) -> float:
    """Mean cosine of all pairs of unit vectors (n, d)."""
    n = len(vectors)
    return float((np.square(vectors.sum(axis=0)).sum() - n) / (n * (n - 1)))


def _nearest(queries: np.ndarray, catalogue: np.ndarray) -> np.ndarray:
    similarity = queries @ catalogue.T
    np.fill_diagonal(similarity, -np.inf)
    return similarity.argmax(axis=1)


def embed(runtime: str, content: bytes, inputs: np.ndarray) -> list[np.ndarray]:
    """Inputs through a model file on the device's engine: (n, ...) -> one float32 (n, d) per output."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model.{runtime}"
        path.write_bytes(content)
        with open_engine(runtime, path) as engine:
            return embed_all(engine, inputs)


def embed_all(engine: Engine, inputs: np.ndarray) -> list[np.ndarray]:
    """Every input through an engine: float32 (n, ...) -> one float32 (n, d) per output."""
    rows = [engine.run(quantize(row[np.newaxis], engine.input)) for row in inputs]
    return [np.concatenate([dequantize(row[index], spec) for row in rows])
            for index, spec in enumerate(engine.outputs)]


def failures(what: str, agreement: Agreement, thresholds: Thresholds) -> list[str]:
    """Each figure below its threshold, in words."""
    figures, least = asdict(agreement), asdict(thresholds)
    found = [f"{what}: {name} {value:.4f} is below {least[name]}" for name, value in figures.items()
             if name in least and value is not None and not value >= least[name]]
    if found and (agreement.between_inputs or 0.0) > COLLAPSED:
        found.append(f"{what}: the float model itself hardly tells inputs apart (their mean cosine with each other is "
                     f"{agreement.between_inputs:.4f}): is it trained?")
    return found


def between_formats(by_format: dict[str, list[np.ndarray]], views: Sequence[str]) -> dict[str, Any]:
    """The formats compared with each other, per view; empty with a single format."""
    if len(by_format) < 2:
        return {}
    first, second = list(by_format.values())[:2]
    return {view: compare(a, b).document() for view, a, b in zip(views, first, second, strict=True)}
