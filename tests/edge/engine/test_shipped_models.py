"""The models of the shipped bundle in every runtime that is here: they load, fit their manifest and agree."""

import numpy as np
import pytest

from edge.bundle import open_bundle
from edge.context import unit
from edge.engine.open import open_engine
from edge.engine.quantization import dequantize, quantize

LEAST_COSINE = {"audio": 0.99, "video": 0.98}
"""Between two runtimes' embeddings; the exporter holds the formats to more on real inputs (the manifest's parity)."""


def inputs(kind: str, shape: tuple[int, ...]) -> np.ndarray:
    """Float32, like what a front end gives: standardised coefficients, or a picture with edges and slopes."""
    rng = np.random.default_rng(2)
    if kind == "audio":
        drift = np.cumsum(rng.standard_normal(shape), axis=1)
        return ((drift - drift.mean(1, keepdims=True)) / drift.std(1, keepdims=True)).astype(np.float32)
    across, down = np.meshgrid(np.linspace(-1, 1, shape[2]), np.linspace(-1, 1, shape[1]))
    planes = [across, down, np.sign(across * down)]
    return np.stack(planes, axis=-1)[np.newaxis].astype(np.float32)


def embed(kind: str, runtime: str) -> list[np.ndarray]:
    model = open_bundle().model(kind)
    with open_engine(runtime, model.file(runtime)) as engine:
        outputs = engine.run(quantize(inputs(kind, model.input_shape), engine.input))
        return [unit(dequantize(stored, spec)[0]) for stored, spec in zip(outputs, engine.outputs, strict=True)]


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_they_load_and_are_what_the_manifest_says(runtime, kind):
    model = open_bundle().model(kind)
    with open_engine(runtime, model.file(runtime)) as engine:
        assert engine.input.shape == model.input_shape
        assert [spec.shape for spec in engine.outputs] == [(1, output.dimension) for output in model.outputs]
    for vector in embed(kind, runtime):
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_both_runtimes_give_the_same_embedding(kind):
    pytest.importorskip("onnxruntime", reason="no second runtime here")
    for one, other in zip(embed(kind, "litert"), embed(kind, "onnx"), strict=True):
        assert one @ other > LEAST_COSINE[kind]
