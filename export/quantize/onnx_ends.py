"""The ends of a quantised ONNX model made int8: its input and outputs lose their float32 conversions.

ONNX has no place for the scale of an int8 input or output; they go into the model's metadata, where
edge/engine/onnx.py reads them.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from edge.engine.onnx import METADATA_KEY

INPUT_NAME = "input"
IR_VERSION = 8
"""onnxruntime 1.10 and later read it."""
MOVES = frozenset({"Transpose", "Reshape", "Unsqueeze", "Squeeze", "Identity", "Flatten"})
Grid = dict[str, float | int]


def int8_ends(path: Path, calibration: np.ndarray) -> bytes:
    """Take the first QuantizeLinear and the last DequantizeLinears off, or put such in where float reaches an end.

    The same file gives the same bytes.
    """
    import onnx

    model = onnx.load(path)
    graph = model.graph
    for name, (low, high) in _float_ranges(path, graph, calibration).items():
        _append_ends(graph, name, low, high)
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    grids = {"inputs": {INPUT_NAME: _int8_input(graph, constants, calibration)},
             "outputs": {output.name: _int8_output(graph, output, constants) for output in graph.output}}
    _drop_unused(graph)
    _anonymise(model)
    onnx.helper.set_model_props(model, {METADATA_KEY: json.dumps(grids, sort_keys=True)})
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def _int8_input(graph: Any, constants: dict[str, np.ndarray], calibration: np.ndarray) -> Grid:
    from onnx import TensorProto

    quantiser = _only_quantiser(graph, constants)
    if quantiser is None:
        grid = _insert_dequantiser(graph, calibration)
    else:
        grid = _grid(quantiser, constants)
        graph.node.remove(quantiser)
        _rename(graph, quantiser.output[0], quantiser.input[0])
    graph.input[0].type.tensor_type.elem_type = TensorProto.INT8
    return grid


def _only_quantiser(graph: Any, constants: dict[str, np.ndarray]) -> Any | None:
    """Where the input becomes int8: at once, or after operations that only move values, which int8 passes too."""
    name = INPUT_NAME
    while True:
        readers = [node for node in graph.node if name in node.input]
        if len(readers) == 1 and readers[0].op_type == "QuantizeLinear":
            return readers[0] if constants[readers[0].input[2]].dtype == np.int8 else None
        if len(readers) != 1 or readers[0].op_type not in MOVES:
            return None
        name = readers[0].output[0]


def _insert_dequantiser(graph: Any, calibration: np.ndarray) -> Grid:
    """For a model whose first layers stay in float: int8 in all the same, turned into float first."""
    from onnx import helper

    _rename(graph, INPUT_NAME, f"roomtone_{INPUT_NAME}")
    constants, grid = _add_grid(graph, INPUT_NAME, float(calibration.min()), float(calibration.max()))
    graph.node.insert(0, helper.make_node("DequantizeLinear", [INPUT_NAME, *constants], [f"roomtone_{INPUT_NAME}"],
                                          name="roomtone_input_dequantise"))
    return grid


def _add_grid(graph: Any, name: str, low: float, high: float) -> tuple[list[str], Grid]:
    """Scale and zero point of an int8 range that holds zero, as constants of the graph; their names, their values."""
    from onnx import numpy_helper

    low, high = min(0.0, low), max(0.0, high)
    scale = np.float32(max(high - low, 1e-9) / 255)
    zero_point = np.int8(np.clip(round(-128 - low / float(scale)), -128, 127))
    names = [f"roomtone_{name}_scale", f"roomtone_{name}_zero_point"]
    graph.initializer.extend(numpy_helper.from_array(np.array(value), constant)
                             for value, constant in zip((scale, zero_point), names, strict=True))
    return names, {"scale": float(scale), "zero_point": int(zero_point)}


def _float_ranges(path: Path, graph: Any, calibration: np.ndarray) -> dict[str, tuple[float, float]]:
    """Least and largest value of each output that onnxruntime's quantiser left in float, as after an average."""
    import onnxruntime

    made_by = {name: node.op_type for node in graph.node for name in node.output}
    names = [output.name for output in graph.output if made_by[output.name] != "DequantizeLinear"]
    if not names:
        return {}
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    rows = [session.run(names, {INPUT_NAME: row[np.newaxis]}) for row in calibration]
    return {name: (min(float(row[index].min()) for row in rows), max(float(row[index].max()) for row in rows))
            for index, name in enumerate(names)}


def _append_ends(graph: Any, name: str, low: float, high: float) -> None:
    """Quantise a float output and dequantise it again, as the quantiser does with the others."""
    from onnx import helper

    real, levels = f"roomtone_{name}_real", f"roomtone_{name}_levels"
    _rename(graph, name, real)
    constants, _ = _add_grid(graph, name, low, high)
    graph.node.extend([
        helper.make_node("QuantizeLinear", [real, *constants], [levels], name=f"roomtone_{name}_quantise"),
        helper.make_node("DequantizeLinear", [levels, *constants], [name], name=f"roomtone_{name}_dequantise")])


def _int8_output(graph: Any, output: Any, constants: dict[str, np.ndarray]) -> Grid:
    from onnx import TensorProto

    last = next(node for node in graph.node if output.name in node.output)
    output.type.tensor_type.elem_type = TensorProto.INT8
    grid = _grid(last, constants)
    if constants[last.input[2]].dtype != np.int8:
        return _requantise(graph, last, output.name, grid)
    graph.node.remove(last)
    _rename(graph, last.input[0], output.name)
    return grid


def _requantise(graph: Any, last: Any, name: str, grid: Grid) -> Grid:
    """From unsigned levels to signed ones: the same scale, the zero point 128 lower."""
    from onnx import helper, numpy_helper

    zero_point = int(grid["zero_point"]) - 128
    real, signed = f"roomtone_{name}", f"roomtone_{name}_zero_point"
    _rename(graph, name, real)
    graph.initializer.append(numpy_helper.from_array(np.array(zero_point, np.int8), signed))
    graph.node.append(helper.make_node("QuantizeLinear", [real, last.input[1], signed], [name],
                                       name=f"roomtone_{name}_quantise"))
    return {"scale": grid["scale"], "zero_point": zero_point}


def _grid(node: Any, constants: dict[str, np.ndarray]) -> Grid:
    return {"scale": float(constants[node.input[1]]), "zero_point": int(constants[node.input[2]])}


def _rename(graph: Any, old: str, new: str) -> None:
    for node in graph.node:
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                if name == old:
                    names[index] = new


def _drop_unused(graph: Any) -> None:
    used = {name for node in graph.node for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)
    del graph.value_info[:]


def _anonymise(model: Any) -> None:
    """Nothing of the machine or the versions that made it: the same inputs give the same bytes.

    Operator sets that no node uses go too; onnxruntime refuses a model that names a newer one than it knows.
    """
    model.ir_version = min(model.ir_version, IR_VERSION)
    used = {node.domain for node in model.graph.node}
    for opset in [opset for opset in model.opset_import if opset.domain not in used]:
        model.opset_import.remove(opset)
    for text in ("doc_string", "producer_version", "producer_name"):
        model.ClearField(text)
    for part in (model.graph, *model.graph.node, *model.graph.input, *model.graph.output, *model.graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
