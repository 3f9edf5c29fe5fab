"""ai-edge-litert, or tflite-runtime where that is what is installed, behind the engine interface."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from edge.engine import package
from edge.engine.base import Engine, TensorSpec, require_int8, require_usable
from edge.engine.flatbuffer import Malformed, check_model
from edge.engine.model_file import map_model, require_tflite
from edge.errors import EngineError, ModelFileError, RuntimeMissingError

LITERT, TFLITE_RUNTIME = "ai-edge-litert", "tflite-runtime"


class TfliteEngine(Engine):
    """The model file stays mapped while the engine is open: its weights are file pages, not the process's own."""

    runtime = "litert"

    def __init__(self, path: Path, *, threads: int = 1):
        """Raises RuntimeMissingError, or ModelFileError when the file is not an int8 TFLite model of one input."""
        module, name = find_runtime()
        self.version = package.described(name)
        with map_model(path) as content:
            require_tflite(content, path)
            _verify(content, path)
        self._interpreter = _interpreter(module, self.version, path, threads)
        inputs, outputs = _details(self._interpreter, path)
        require_int8(path, [(detail["name"], np.dtype(detail["dtype"])) for detail in (*inputs, *outputs)])
        self.input, *rest = (_spec(detail) for detail in (*inputs, *outputs))
        self.outputs = tuple(rest)
        require_usable(path, (self.input, *self.outputs))
        self._input_index = inputs[0]["index"]
        self._output_indices = [output["index"] for output in outputs]

    def _run(self, values: np.ndarray) -> tuple[np.ndarray, ...]:
        try:
            self._interpreter.set_tensor(self._input_index, values)
            self._interpreter.invoke()
            return tuple(self._interpreter.get_tensor(index) for index in self._output_indices)
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"{self.version} failed to run the model: {error}") from error

    def _release(self) -> None:
        self._interpreter = None


def find_runtime() -> tuple[ModuleType, str]:
    """The interpreter's module and its package's name. Raises RuntimeMissingError."""
    for module, name in (("ai_edge_litert.interpreter", LITERT), ("tflite_runtime.interpreter", TFLITE_RUNTIME)):
        found = package.find(module, name)
        if found is not None:
            return found, name
    raise RuntimeMissingError(f"neither {LITERT} nor {TFLITE_RUNTIME} is installed; "
                              "pip install 'roomtone[speaker]', or use the onnx engine")


def _verify(content: Any, path: Path) -> None:
    try:
        check_model(content)
    except Malformed as error:
        raise ModelFileError(f"{path}: truncated or damaged: {error}; copy the bundle again") from error


def _interpreter(module: ModuleType, version: str, path: Path, threads: int) -> Any:
    try:
        interpreter = module.Interpreter(model_path=str(path), num_threads=threads)
        interpreter.allocate_tensors()
        return interpreter
    except SystemError as error:  # what tflite-runtime 2.14 raises beside numpy 2, after it has been imported
        raise RuntimeMissingError(f"{version} cannot work with numpy {np.__version__}; "
                                  "pip install 'numpy<2', or ai-edge-litert in its place") from error
    except (RuntimeError, ValueError, TypeError, MemoryError) as error:
        raise ModelFileError(f"{path}: truncated, damaged or too new for {version}: "
                             f"{str(error)[:200]}; copy the bundle again") from error


def _details(interpreter: Any, path: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    try:
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    except ValueError as error:
        raise ModelFileError(f"{path}: damaged: a name in it is not text; copy the bundle again") from error
    if len(inputs) != 1 or not outputs:
        raise ModelFileError(f"{path}: has {len(inputs)} inputs and {len(outputs)} outputs; an engine runs models "
                             "of one input")
    return inputs, outputs


def _spec(detail: dict[str, Any]) -> TensorSpec:
    scale, zero_point = detail["quantization"]
    return TensorSpec(
        name=detail["name"],
        shape=tuple(int(size) for size in detail["shape"]),
        dtype=np.dtype(detail["dtype"]),
        scale=float(scale),
        zero_point=int(zero_point),
    )
