"""ai-edge-litert, or tflite-runtime where that is what is installed, behind the engine interface."""

import importlib
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from edge.engine.base import Engine, TensorSpec, require_int8
from edge.errors import EngineError, ModelFileError, RuntimeMissingError

RUNTIMES = (("ai_edge_litert.interpreter", "ai-edge-litert"), ("tflite_runtime.interpreter", "tflite-runtime"))
MAGIC = b"TFL3"
"""A TFLite file's bytes 4 to 8 (its FlatBuffers identifier)."""


class TfliteEngine(Engine):
    runtime = "litert"

    def __init__(self, path: Path, *, threads: int = 1):
        """Raises RuntimeMissingError, or ModelFileError when the file is not an int8 TFLite model of one input."""
        module, package = _runtime()
        self.version = f"{package} {version(package)}"
        self._interpreter = _interpreter(module, package, _content(path), path, threads)
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        if len(inputs) != 1:
            raise ModelFileError(f"{path}: has {len(inputs)} inputs; an engine runs models of one input")
        self.input = _spec(inputs[0])
        self.outputs = tuple(_spec(output) for output in outputs)
        require_int8(path, (self.input, *self.outputs))
        self._input_index = inputs[0]["index"]
        self._output_indices = [output["index"] for output in outputs]

    def _run(self, values: np.ndarray) -> tuple[np.ndarray, ...]:
        try:
            self._interpreter.set_tensor(self._input_index, values)
            self._interpreter.invoke()
            return tuple(self._interpreter.get_tensor(index) for index in self._output_indices)
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"{self.version} failed to run the model: {error}") from error

    def close(self) -> None:
        self._interpreter = None


def _runtime() -> tuple[ModuleType, str]:
    for name, package in RUNTIMES:
        try:
            return importlib.import_module(name), package
        except ImportError:
            continue
    raise RuntimeMissingError("neither ai-edge-litert nor tflite-runtime is installed; "
                              "pip install 'roomtone[speaker]'")


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    if content[4:8] != MAGIC:
        raise ModelFileError(f"{path}: not a TFLite model (its bytes 4 to 8 are not TFL3)")
    return content


def _interpreter(module: ModuleType, package: str, content: bytes, path: Path, threads: int) -> Any:
    try:
        interpreter = module.Interpreter(model_content=content, num_threads=threads)
        interpreter.allocate_tensors()
        return interpreter
    except SystemError as error:
        raise RuntimeMissingError(f"{package} {version(package)} cannot work with numpy {np.__version__}; "
                                  "pip install 'numpy<2', or ai-edge-litert in its place") from error
    except (RuntimeError, ValueError, TypeError) as error:
        raise ModelFileError(f"{path}: not a TFLite model that {package} can load: {str(error)[:200]}") from error


def _spec(detail: dict[str, Any]) -> TensorSpec:
    scale, zero_point = detail["quantization"]
    return TensorSpec(
        name=detail["name"],
        shape=tuple(int(size) for size in detail["shape"]),
        dtype=np.dtype(detail["dtype"]),
        scale=float(scale),
        zero_point=int(zero_point),
    )
