"""onnxruntime behind the engine interface.

ONNX has no place for the scale of an int8 input or output, so the exporter writes them into the model's metadata
under ``roomtone.quantization``: {"inputs": {NAME: {"scale": s, "zero_point": z}}, "outputs": {...}}.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from edge.engine import package
from edge.engine.base import EXPORT_AGAIN, Engine, TensorSpec, require_int8, require_usable
from edge.engine.model_file import map_model, require_onnx
from edge.errors import EngineError, ModelFileError, RuntimeMissingError
from edge.manifest import Fields

METADATA_KEY = "roomtone.quantization"
DTYPES = {"tensor(int8)": np.int8, "tensor(uint8)": np.uint8, "tensor(float)": np.float32}


class OnnxEngine(Engine):
    runtime = "onnx"

    def __init__(self, path: Path, *, threads: int = 1):
        """Raises RuntimeMissingError, or ModelFileError when the file is not an int8 ONNX model of one input."""
        onnxruntime = find_runtime()
        self.version = package.described("onnxruntime")
        self._failures = _failures(onnxruntime)
        with map_model(path) as content:
            require_onnx(content, path)
        try:
            self._session = _session(onnxruntime, path, threads)
            self.input, self.outputs = _tensors(self._session, path)
        except self._failures as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise ModelFileError(f"{path}: truncated, damaged or not an ONNX model that {self.version} can load: "
                                 f"{said[0]:.200}; copy the bundle again") from error
        require_usable(path, (self.input, *self.outputs))
        self._names = [spec.name for spec in self.outputs]

    def _run(self, values: np.ndarray) -> tuple[np.ndarray, ...]:
        try:
            return tuple(self._session.run(self._names, {self.input.name: values}))
        except self._failures as error:
            raise EngineError(f"{self.version} failed to run the model: {str(error)[:200]}") from error

    def _release(self) -> None:
        self._session = None


def find_runtime() -> Any:
    """The onnxruntime module. Raises RuntimeMissingError."""
    onnxruntime = package.find("onnxruntime", "onnxruntime")
    if onnxruntime is None:
        raise RuntimeMissingError(
            "onnxruntime is not installed; pip install 'roomtone[tv]', or use the litert engine")
    return onnxruntime


def _failures(onnxruntime: Any) -> tuple[type[Exception], ...]:
    """onnxruntime raises fifteen classes of its own that share no base, and pybind11's besides."""
    known = vars(onnxruntime.capi.onnxruntime_pybind11_state).values()
    own = [kind for kind in known if isinstance(kind, type) and issubclass(kind, Exception)]
    return (*own, RuntimeError, ValueError, MemoryError)


def _session(onnxruntime: Any, path: Path, threads: int) -> Any:
    """From the path and not from bytes: that peaks 4 MB lower for the video model, whose weights it copies anyway."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.enable_mem_pattern = False
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Its fallback would print to stdout, where a command's JSON goes, and try the same provider again.
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"], enable_fallback=0)


def _tensors(session: Any, path: Path) -> tuple[TensorSpec, tuple[TensorSpec, ...]]:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or not outputs:
        raise ModelFileError(f"{path}: has {len(inputs)} inputs and {len(outputs)} outputs; an engine runs models "
                             "of one input")
    require_int8(path, [(tensor.name, np.dtype(DTYPES.get(tensor.type, object))) for tensor in (*inputs, *outputs)])
    grids = _grids(session.get_modelmeta().custom_metadata_map, path)
    return (_spec(inputs[0], grids.fields("inputs")),
            tuple(_spec(output, grids.fields("outputs")) for output in outputs))


def _grids(metadata: dict[str, str], path: Path) -> Fields:
    if METADATA_KEY not in metadata:
        raise ModelFileError(f"{path}: has no {METADATA_KEY} in its metadata, so the scales of its int8 values are "
                             f"unknown; {EXPORT_AGAIN}")
    try:
        document = json.loads(metadata[METADATA_KEY])
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path}: its metadata {METADATA_KEY} is not JSON; {EXPORT_AGAIN}") from error
    return Fields(document, f"{path}: {METADATA_KEY}", ModelFileError)


def _spec(tensor: Any, grids: Fields) -> TensorSpec:
    grid = grids.fields(tensor.name)
    return TensorSpec(
        name=tensor.name,
        shape=tuple(tensor.shape),
        dtype=np.dtype(np.int8),
        scale=grid.number("scale"),
        zero_point=grid.integer("zero_point", -128, 127),
    )
