"""What a model answers, as vectors: one unit vector for each view that the bundle names."""

import numpy as np

from edge.bundle import Model
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
        self._outputs = list(zip((output.view for output in model.outputs), engine.outputs, strict=True))

    def read(self, stored: tuple[np.ndarray, ...]) -> dict[str, np.ndarray]:
        """The engine's int8 outputs (1, dimension) -> view name to np.ndarray [shape=(dimension,), dtype=float32]."""
        pairs = zip(self._outputs, stored, strict=True)
        return {view: unit(dequantize(values, spec)[0]) for (view, spec), values in pairs}
