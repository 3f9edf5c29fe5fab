"""The engines of this environment, and the small models of tests/data/engine with their known right answer."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

MODELS = Path(__file__).resolve().parents[2] / "data" / "engine"
SUFFIX = {"litert": "tflite", "onnx": "onnx"}
PACKAGES = {"litert": ("ai_edge_litert", "tflite_runtime"), "onnx": ("onnxruntime",)}


def installed(runtime: str) -> bool:
    return any(importlib.util.find_spec(package) for package in PACKAGES[runtime])


@pytest.fixture(scope="session")
def models() -> Path:
    return MODELS


@pytest.fixture(params=[
    pytest.param(runtime, marks=pytest.mark.skipif(not installed(runtime), reason=f"no {runtime} runtime here"))
    for runtime in SUFFIX
])
def runtime(request) -> str:
    """Each runtime in turn: both in the main environment, litert alone beside tflite-runtime."""
    return request.param


@pytest.fixture
def heads(runtime) -> Path:
    """The int8 model of heads.npz, in the runtime's format."""
    return MODELS / f"heads.{SUFFIX[runtime]}"


@pytest.fixture(scope="session")
def right_answer():
    """x (1, 6, 4) int8 -> the outputs of heads.*, in integer arithmetic (tests/data/make_engine_models.py)."""
    with np.load(MODELS / "heads.npz") as file:
        arrays = dict(file)

    def dense(name: str, values: np.ndarray, zero_in: int, relu: bool = False) -> np.ndarray:
        sums = arrays[f"{name}.weights"].astype(np.int64) @ (values.astype(np.int64) - zero_in)
        quotients = np.rint((sums + arrays[f"{name}.bias"]) / arrays[f"{name}.divisors"])
        low = int(arrays[f"{name}.zero"]) if relu else -128
        return np.clip(quotients + arrays[f"{name}.zero"], low, 127).astype(np.int8)

    def answer(x: np.ndarray) -> list[np.ndarray]:
        hidden = dense("hidden", x.reshape(-1), int(arrays["x.zero"]), relu=True)
        zero = int(arrays["hidden.zero"])
        return [dense("first", hidden, zero)[np.newaxis], dense("second", hidden, zero)[np.newaxis]]

    return answer
