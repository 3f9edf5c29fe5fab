"""A corrected float graph to a TFLite file, int8 throughout."""

import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx

from edge.errors import ExportError
from export.quantize.blame import inexpressible_operation
from export.quantize.layout import outputs_of
from export.quantize.quiet import first_line, quiet

SIGNATURE, INPUT_NAME = "serving_default", "args_0"
WEIGHTED = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"})
TOLERANCE = 1e-3
"""Float outputs of the two frameworks, relative to the largest value: only the order of outputs is at stake."""


def float_tflite(graph: fx.GraphModule, example: np.ndarray) -> bytes:
    """The float32 model, outputs in the graph's order. Raises ExportError naming what TFLite cannot express."""
    with quiet():
        try:
            content = _converted(graph, (torch.from_numpy(example),))
            given = _run(content, example)
        except Exception as error:  # the converter wraps whatever its many passes raise
            found = inexpressible_operation(graph, lambda part, inputs: _interpreter(_converted(part, inputs)))
            raise ExportError(f"TFLite cannot express {found or 'the model'}: {first_line(error)}") from error
        with torch.no_grad():
            wanted = [value.numpy() for value in outputs_of(graph(torch.from_numpy(example)))]
        return _in_order(content, given, wanted)


def _converted(graph: fx.GraphModule, inputs: tuple[Tensor, ...]) -> bytes:
    import litert_torch

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.tflite"
        litert_torch.convert(graph, inputs).export(str(path))
        return path.read_bytes()


def _interpreter(content: bytes) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    return interpreter


def _run(content: bytes, example: np.ndarray) -> list[np.ndarray]:
    interpreter = _interpreter(content)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], example)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def _in_order(content: bytes, given: list[np.ndarray], wanted: list[np.ndarray]) -> bytes:
    """The converter may reorder outputs: find out by their values and put them back."""
    order = []
    for value in wanted:
        limit = TOLERANCE * max(1.0, float(np.abs(value).max()))
        fits = [index for index, other in enumerate(given) if index not in order and other.shape == value.shape
                and float(np.abs(other - value).max()) <= limit]
        if not fits:
            raise ExportError("TFLite's float model does not give the model's outputs; its conversion went wrong")
        order.append(fits[0])
    if order == sorted(order):
        return content
    from ai_edge_litert.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    subgraph = model.subgraphs[0]
    subgraph.outputs = [subgraph.outputs[index] for index in order]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def int8_tflite(model: bytes, calibration: np.ndarray, *, float_prefix: int = 0) -> bytes:
    """Quantise what float_tflite gave: static, per channel, activations between their extremes, int8 in and out.

    ``calibration``: float32 (n, ...); ``float_prefix``: so many convolutions or linear layers at the start stay in
    float. ai-edge-quantizer's own calibration averages ranges and clips; ``min_max_update`` keeps the extremes.
    """
    from ai_edge_quantizer import calibrator, quantizer
    from ai_edge_quantizer.utils import qsv_utils

    with tempfile.TemporaryDirectory() as folder, quiet():
        path = Path(folder) / "float.tflite"
        path.write_bytes(model)
        rules = _rules(model, float_prefix)
        try:
            ranges = calibrator.Calibrator(str(path), num_threads=1, qsv_update_func=qsv_utils.min_max_update)
            ranges.calibrate({SIGNATURE: [{INPUT_NAME: row[np.newaxis]} for row in calibration]}, rules)
            made = quantizer.Quantizer(str(path), rules.get_quantization_recipe()).quantize(ranges.get_model_qsvs())
        except (ValueError, RuntimeError, KeyError) as error:
            raise ExportError(f"TFLite cannot hold this model in int8: {first_line(error)}") from error
        return bytes(made.quantized_model)


def _rules(model: bytes, float_prefix: int) -> Any:
    """Everything int8, save the operations up to the ``float_prefix``-th layer."""
    from ai_edge_quantizer import qtyping, recipe, recipe_manager

    manager = recipe_manager.RecipeManager()
    manager.load_quantization_recipe(recipe.static_wi8_ai8())
    for name in _first_tensors(model, float_prefix):
        manager.add_quantization_config(
            f"^{re.escape(name)};?$", qtyping.TFLOperationName.ALL_SUPPORTED, algorithm_key="no_quantize")
    return manager


def _operations(model: bytes) -> list[tuple[str, str, bool]]:
    """Type, name of the first result and whether that is float, of each operation in the order in which they run."""
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools import flatbuffer_utils

    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    read = flatbuffer_utils.read_model_from_bytearray(bytearray(model))
    subgraph = read.subgraphs[0]
    rows = []
    for operation in subgraph.operators:
        code = read.operatorCodes[operation.opcodeIndex]
        result = subgraph.tensors[operation.outputs[0]]
        rows.append((names.get(max(code.builtinCode, code.deprecatedBuiltinCode), "CUSTOM"), result.name.decode(),
                     result.type == schema.TensorType.FLOAT32))
    return rows


def _first_tensors(model: bytes, weighted: int) -> list[str]:
    names: list[str] = []
    seen = 0
    for kind, name, _ in _operations(model) if weighted else ():
        seen += kind in WEIGHTED
        if seen > weighted or (seen == weighted and kind not in WEIGHTED):
            break
        names.append(name)
    return names


def float_operations(model: bytes) -> list[str]:
    """Operations that stay in float although the model is int8, by name of their type."""
    return sorted(kind for kind, _, is_float in _operations(model) if is_float and kind != "DEQUANTIZE")
