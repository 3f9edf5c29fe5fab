"""A corrected float graph to an ONNX file with int8 input, int8 weights, int8 activations and int8 outputs."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import fx

from edge.engine.onnx import METADATA_KEY
from edge.errors import ExportError
from export.quantize.quiet import first_line, quiet

INPUT_NAME = "input"
IR_VERSION = 10
MOVES = ("Transpose", "Reshape", "Unsqueeze", "Squeeze", "Identity", "Flatten")


def to_onnx(graph: fx.GraphModule, calibration: np.ndarray, names: list[str]) -> bytes:
    """Convert and quantise (static, per channel, symmetric int8 weights, int8 activations between their extremes).

    ``calibration``: float32 (n, ...) as the model takes it; ``names``: one per output. The same graph and data give
    the same bytes. Raises ExportError naming the operation that ONNX cannot express.
    """
    with tempfile.TemporaryDirectory() as folder:
        float_path, ready_path, int8_path = (Path(folder) / name for name in ("f.onnx", "p.onnx", "q.onnx"))
        float_path.write_bytes(float_onnx(graph, calibration[:1], names))
        with quiet():
            _quantise(float_path, ready_path, int8_path, calibration)
        return _int8_ends(int8_path)


def float_onnx(graph: fx.GraphModule, example: np.ndarray, names: list[str]) -> bytes:
    """The float32 model, also what a benchmark measures the int8 one against."""
    with tempfile.TemporaryDirectory() as folder, quiet():
        path = Path(folder) / "float.onnx"
        try:
            torch.onnx.export(graph, (torch.from_numpy(example),), str(path), dynamo=True, external_data=False,
                              input_names=[INPUT_NAME], output_names=names, verbose=False)
        except Exception as error:  # the exporter wraps whatever its many passes raise
            raise ExportError(f"cannot be expressed in ONNX: {first_line(error)}") from error
        return path.read_bytes()


def _quantise(float_path: Path, ready_path: Path, int8_path: Path, calibration: np.ndarray) -> None:
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    quant_pre_process(str(float_path), str(ready_path), skip_symbolic_shape=True)
    quantize_static(
        str(ready_path), str(int8_path), _Reader(calibration), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QInt8, weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax)


class _Reader:
    """onnxruntime's CalibrationDataReader over an array."""

    def __init__(self, calibration: np.ndarray):
        self._rows: Iterator[np.ndarray] = iter(calibration)

    def get_next(self) -> dict[str, np.ndarray] | None:
        row = next(self._rows, None)
        return None if row is None else {INPUT_NAME: row[np.newaxis]}

    def __iter__(self) -> "_Reader":
        return self

    def __next__(self) -> dict[str, np.ndarray]:
        row = self.get_next()
        if row is None:
            raise StopIteration
        return row


def _int8_ends(path: Path) -> bytes:
    """Take the first QuantizeLinear and the last DequantizeLinears off; their scales go into the metadata."""
    import onnx

    model = onnx.load(path)
    graph = model.graph
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    first = _first_quantiser(graph)
    grids = {"inputs": {INPUT_NAME: _grid(first, constants)}, "outputs": {}}
    graph.node.remove(first)
    _rename(graph, first.output[0], first.input[0])
    graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT8
    for output in graph.output:
        last = next(node for node in graph.node if output.name in node.output)
        if last.op_type != "DequantizeLinear":
            raise ExportError(f"the output {output.name!r} comes from {last.op_type}, which was not quantised")
        grids["outputs"][output.name] = _grid(last, constants)
        graph.node.remove(last)
        _rename(graph, last.input[0], output.name)
        output.type.tensor_type.elem_type = onnx.TensorProto.INT8
    _drop_unused(graph)
    model.ir_version = min(model.ir_version, IR_VERSION)
    for text in ("doc_string", "producer_version", "producer_name"):
        model.ClearField(text)
    onnx.helper.set_model_props(model, {METADATA_KEY: json.dumps(grids, sort_keys=True)})
    for node in graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def _first_quantiser(graph):
    """Where the input becomes int8: at once, or after operations that only move values, which int8 passes too."""
    name = INPUT_NAME
    while True:
        readers = [node for node in graph.node if name in node.input]
        if len(readers) != 1 or readers[0].op_type not in (*MOVES, "QuantizeLinear"):
            raise ExportError(f"the input goes into {', '.join(node.op_type for node in readers) or 'nothing'} "
                              "before it is quantised; begin the model with one layer")
        if readers[0].op_type == "QuantizeLinear":
            return readers[0]
        name = readers[0].output[0]


def _grid(node, constants: dict[str, np.ndarray]) -> dict[str, float | int]:
    return {"scale": float(constants[node.input[1]]), "zero_point": int(constants[node.input[2]])}


def _rename(graph, old: str, new: str) -> None:
    for node in graph.node:
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                if name == old:
                    names[index] = new


def _drop_unused(graph) -> None:
    used = {name for node in graph.node for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)
    del graph.value_info[:]
