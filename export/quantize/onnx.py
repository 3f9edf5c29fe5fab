"""A corrected float graph to an ONNX file with int8 input, int8 weights, int8 activations and int8 outputs."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx

from edge.errors import ExportError
from export.quantize.blame import inexpressible_operation
from export.quantize.onnx_ends import INPUT_NAME, int8_ends
from export.quantize.quiet import first_line, quiet

OPSET_VERSION = 18
"""onnxruntime 1.16 to 1.32 were seen to run it alike; per-channel int8 needs 13."""
WEIGHTED = frozenset({"Conv", "Gemm", "MatMul"})
ACTIVATIONS = frozenset({"Relu", "Clip"})
ACTIVATION_TYPES = ("uint8", "int8")
"""Inside the model; its input and outputs are int8 either way. One EfficientNet-Lite0 takes 145 million instructions
with uint8 and 157 with int8 on a Cortex-A53, 78 and 85 on an A76 (counted in emulation; 326 in float32). On x86
onnxruntime computes what surrounds a residual addition in float with int8: .53 and .86 of float32's time."""


def float_onnx(graph: fx.GraphModule, example: np.ndarray, names: list[str]) -> bytes:
    """The float32 model. Raises ExportError naming the module whose operation ONNX cannot express."""
    with quiet():
        try:
            return _exported(graph, (torch.from_numpy(example),), names)
        except Exception as error:  # the exporter wraps whatever its many passes raise
            found = inexpressible_operation(graph, _exported)
            raise ExportError(f"ONNX cannot express {found or 'the model'}: {first_line(error)}") from error


def _exported(graph: fx.GraphModule, inputs: tuple[Tensor, ...], names: list[str] | None = None) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.onnx"
        torch.onnx.export(graph, inputs, str(path), dynamo=True, external_data=False, verbose=False,
                          opset_version=OPSET_VERSION, output_names=names,
                          input_names=[INPUT_NAME] if len(inputs) == 1 else None)
        return path.read_bytes()


def int8_onnx(
    model: bytes, calibration: np.ndarray, *, float_prefix: int = 0, activations: str = "uint8"
) -> bytes:
    """Quantise: static, per channel, symmetric int8 weights, int8 activations between their extremes.

    Parameters
    ----------
    model : bytes
        What float_onnx gave.
    calibration : np.ndarray [shape=(n, ...), dtype=float32]
    float_prefix
        So many convolutions or linear layers at the start stay in float.
    activations
        One of ACTIVATION_TYPES.

    The same model and data give the same bytes. Raises ExportError when onnxruntime cannot run or quantise it.
    """
    with tempfile.TemporaryDirectory() as folder, quiet():
        float_path, ready_path, int8_path = (Path(folder) / name for name in ("f.onnx", "p.onnx", "q.onnx"))
        float_path.write_bytes(model)
        try:
            _quantise(float_path, ready_path, int8_path, calibration, float_prefix, activations)
        except Exception as error:  # onnxruntime raises a dozen classes that share no base of their own
            raise ExportError(f"onnxruntime cannot quantise the model: {first_line(error)}") from error
        return int8_ends(int8_path, calibration)


def _quantise(
    float_path: Path, ready_path: Path, int8_path: Path, calibration: np.ndarray, float_prefix: int, activations: str
) -> None:
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    quant_pre_process(str(float_path), str(ready_path), skip_symbolic_shape=True)
    quantize_static(
        str(ready_path), str(int8_path), _Reader(calibration), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QInt8 if activations == "int8" else QuantType.QUInt8,
        weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax,
        nodes_to_exclude=_first_nodes(ready_path, float_prefix))


def _first_nodes(path: Path, weighted: int) -> list[str]:
    """Names of the nodes up to the ``weighted``-th layer and its activation, in the order in which they run."""
    import onnx

    names: list[str] = []
    seen = 0
    for node in onnx.load(path).graph.node if weighted else ():
        seen += node.op_type in WEIGHTED
        if seen > weighted or (seen == weighted and node.op_type not in WEIGHTED | ACTIVATIONS):
            break
        names.append(node.name)
    return names


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


def float_operations(model: bytes) -> list[str]:
    """Operations that onnxruntime will compute in float although the model is int8, by name of their type."""
    import onnx
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder, quiet():
        path = Path(folder) / "optimised.onnx"
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(path)
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        nodes = list(onnx.load(path).graph.node)
    return sorted(_in_float(nodes))


def _in_float(nodes: list[Any]) -> Iterator[str]:
    """Follow float values from each DequantizeLinear until the next QuantizeLinear."""
    real = set()
    for node in nodes:
        if node.op_type == "DequantizeLinear":
            real.update(node.output)
        elif node.op_type != "QuantizeLinear" and real.intersection(node.input):
            real.update(node.output)
            yield node.op_type
