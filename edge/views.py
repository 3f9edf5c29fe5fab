"""What a model answers: a unit vector for each view that the bundle names, a probability for each label."""

import numpy as np

from edge.bundle import Model, Output
from edge.context import unit
from edge.engine.base import Engine
from edge.engine.quantization import dequantize
from edge.errors import BundleError


class EmbeddingReader:
    """Knows which of an engine's outputs belongs to which view."""

    def __init__(self, model: Model, engine: Engine):
        """Raises BundleError when the model file is not the one that the manifest describes."""
        if engine.input.shape != model.input_shape:
            raise BundleError(
                f"{model.folder}: the {model.kind} model takes {engine.input.shape}, "
                f"its manifest says {model.input_shape}; export the bundle again"
            )
        promised = [(1, output.dimension) for output in model.outputs]
        found = [spec.shape for spec in engine.outputs]
        if promised != found:
            raise BundleError(
                f"{model.folder}: the {model.kind} model gives {found}, its manifest says {promised}; "
                "export the bundle again"
            )
        self._outputs = list(zip(model.outputs, engine.outputs, strict=True))

    def read(self, stored: tuple[np.ndarray, ...]) -> dict[str, np.ndarray]:
        """The engine's int8 outputs (1, dimension) -> view name to np.ndarray [shape=(dimension,), dtype=float32]."""
        pairs = zip(self._outputs, stored, strict=True)
        return {out.view: unit(dequantize(values, spec)[0]) for (out, spec), values in pairs if not out.labels}

    def classes(self, stored: tuple[np.ndarray, ...]) -> dict[str, dict[str, float]]:
        """Of the outputs with labels: view name to the probability of each label."""
        pairs = zip(self._outputs, stored, strict=True)
        return {out.view: _probabilities(out, dequantize(values, spec)[0]) for (out, spec), values in pairs
                if out.labels}


def _probabilities(output: Output, logits: np.ndarray) -> dict[str, float]:
    odds = np.exp(np.minimum(logits - logits.max() if output.exclusive else logits, 80.0))
    shares = odds / odds.sum() if output.exclusive else odds / (1 + odds)
    return dict(zip(output.labels, shares.tolist(), strict=True))
