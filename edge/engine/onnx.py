"""onnxruntime behind the engine interface.

ONNX has no place for the scale of an int8 input or output, so the exporter writes them into the model's metadata
under ``roomtone.quantization``: {"inputs": {NAME: {"scale": s, "zero_point": z}}, "outputs": {...}}.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from edge.engine.base import Engine, TensorSpec, require_int8
from edge.errors import EngineError, ModelFileError, RuntimeMissingError

METADATA_KEY = "roomtone.quantization"
DTYPES = {"tensor(int8)": np.int8, "tensor(uint8)": np.uint8, "tensor(float)": np.float32}


class OnnxEngine(Engine):
    runtime = "onnx"

    def __init__(self, path: Path, *, threads: int = 1):
        """Raises RuntimeMissingError, or ModelFileError when the file is not an int8 ONNX model of one input."""
        onnxruntime = _onnxruntime()
        self.version = f"onnxruntime {onnxruntime.__version__}"
        self._session = _session(onnxruntime, path, threads)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1:
            raise ModelFileError(f"{path}: has {len(inputs)} inputs; an engine runs models of one input")
        grids = _grids(self._session.get_modelmeta().custom_metadata_map, path)
        self.input = _spec(inputs[0], grids.get("inputs"))
        self.outputs = tuple(_spec(output, grids.get("outputs")) for output in outputs)
        require_int8(path, (self.input, *self.outputs))
        self._names = [spec.name for spec in self.outputs]
        self._failure = onnxruntime.capi.onnxruntime_pybind11_state.RuntimeException

    def _run(self, values: np.ndarray) -> tuple[np.ndarray, ...]:
        try:
            return tuple(self._session.run(self._names, {self.input.name: values}))
        except self._failure as error:
            raise EngineError(f"onnxruntime failed to run the model: {error}") from error

    def close(self) -> None:
        self._session = None


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise RuntimeMissingError(
            "onnxruntime is not installed; pip install 'roomtone[tv]', or use the litert engine") from error
    return onnxruntime


def _session(onnxruntime: Any, path: Path, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.enable_mem_pattern = False
    options.log_severity_level = 4
    try:
        data = path.read_bytes()
        # From bytes rather than from the path: a model cannot then name other files to be read.
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    except Exception as error:  # onnxruntime raises a dozen classes that share no base of their own
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelFileError(f"{path}: not an ONNX model that onnxruntime can load: {said[0]:.200}") from error


def _grids(metadata: dict[str, str], path: Path) -> dict[str, Any]:
    try:
        grids = json.loads(metadata.get(METADATA_KEY, "{}"))
    except ValueError as error:
        raise ModelFileError(f"{path}: its metadata {METADATA_KEY} is not JSON") from error
    return grids if isinstance(grids, dict) else {}


def _spec(tensor: Any, grids: Any) -> TensorSpec:
    grid = grids.get(tensor.name) if isinstance(grids, dict) else None
    grid = grid if isinstance(grid, dict) else {}
    scale, zero_point = grid.get("scale", 0.0), grid.get("zero_point", 0)
    return TensorSpec(
        name=tensor.name,
        shape=tuple(tensor.shape),
        dtype=np.dtype(DTYPES.get(tensor.type, object)),
        scale=float(scale) if isinstance(scale, int | float) else 0.0,
        zero_point=zero_point if isinstance(zero_point, int) else 0,
    )
