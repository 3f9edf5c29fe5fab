"""Makes the small models of the engine tests: ``python tests/data/make_engine_models.py``.

They are committed, because a device (and the virtual environment that tests tflite-runtime) has nothing to make them
with. All hold the same network, whose right answer is plain integer arithmetic over ``heads.npz``::

    x (1, 6, 4) int8 - reshape - dense 24 -> 8, ReLU -+- dense 8 -> 5   "first"
                                                      +- dense 8 -> 3   "second"

    y = clip(round((weights @ (x - zero_in) + bias) / divisors) + zero_out, -128, 127)

Divisors are odd, so that no quotient lies halfway between two integers and every rounding rule gives the same answer.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import flatbuffers
import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as tfl
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(__file__).resolve().parent / "engine"
INPUT_SHAPE = (1, 6, 4)
METADATA_KEY = "roomtone.quantization"


@dataclass(frozen=True)
class Dense:
    """One int8 layer; ``source`` is the name of the tensor that it reads."""

    name: str
    source: str
    weights: np.ndarray
    bias: np.ndarray
    divisors: np.ndarray
    scale: float
    zero: int
    relu: bool

    def weight_scales(self, source_scale: float) -> np.ndarray:
        return (self.scale / (source_scale * self.divisors)).astype(np.float32)


INPUT_SCALE, INPUT_ZERO = 0.05, -3


def layers() -> list[Dense]:
    rng = np.random.default_rng(7)
    return [
        _dense(rng, "hidden", "x", 24, 8, 0.02, -128, 151, relu=True),
        _dense(rng, "first", "hidden", 8, 5, 0.0078125, 0, 401),
        _dense(rng, "second", "hidden", 8, 3, 0.01, 7, 351),
    ]


def _dense(rng, name, source, fan_in, fan_out, scale, zero, divisor, relu=False) -> Dense:
    return Dense(
        name=name, source=source, scale=scale, zero=zero, relu=relu,
        weights=rng.integers(-127, 128, (fan_out, fan_in), dtype=np.int8),
        bias=rng.integers(-3000, 3000, fan_out, dtype=np.int32),
        divisors=divisor + 2 * np.arange(fan_out, dtype=np.int32),
    )


def write_arrays(path: Path) -> None:
    arrays = {f"{layer.name}.{key}": getattr(layer, key) for layer in layers()
              for key in ("weights", "bias", "divisors", "scale", "zero")}
    np.savez(path, **arrays, **{"x.scale": INPUT_SCALE, "x.zero": INPUT_ZERO})


# --- TFLite ---


class FlatModel:
    """Collects tensors, buffers and operators of one subgraph."""

    def __init__(self):
        self.tensors, self.operators, self.buffers = [], [], [tfl.BufferT()]

    def tensor(self, name, shape, kind, scales=None, zeros=None, data=None) -> int:
        tensor = tfl.TensorT()
        tensor.name, tensor.shape, tensor.type = name, list(shape), kind
        tensor.quantization = tfl.QuantizationParametersT()
        if scales is not None:
            tensor.quantization.scale, tensor.quantization.zeroPoint = list(scales), list(zeros)
        if data is not None:
            buffer = tfl.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), dtype=np.uint8)
            self.buffers.append(buffer)
            tensor.buffer = len(self.buffers) - 1
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def operator(self, code, inputs, outputs, kind, options) -> None:
        operator = tfl.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = code, inputs, outputs
        operator.builtinOptionsType, operator.builtinOptions = kind, options
        self.operators.append(operator)

    def serialise(self, inputs, outputs) -> bytes:
        graph = tfl.SubGraphT()
        graph.name, graph.tensors, graph.operators = "main", self.tensors, self.operators
        graph.inputs, graph.outputs = inputs, outputs
        model = tfl.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [graph], self.buffers
        model.operatorCodes = [_code(tfl.BuiltinOperator.RESHAPE, 1),
                               _code(tfl.BuiltinOperator.FULLY_CONNECTED, 5)]
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def _code(builtin, version):
    code = tfl.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = version
    return code


def heads_tflite() -> bytes:
    flat, scales = FlatModel(), {"x": INPUT_SCALE}
    x = flat.tensor("x", INPUT_SHAPE, tfl.TensorType.INT8, [INPUT_SCALE], [INPUT_ZERO])
    tensors = {"x": _flatten(flat, x, tfl.TensorType.INT8, [INPUT_SCALE], [INPUT_ZERO])}
    for layer in layers():
        source_scale = scales[layer.source]
        fan_out = len(layer.bias)
        weight_scales, zeros = layer.weight_scales(source_scale), [0] * fan_out
        weights = flat.tensor(f"{layer.name}.w", layer.weights.shape, tfl.TensorType.INT8,
                              weight_scales, zeros, layer.weights)
        bias = flat.tensor(f"{layer.name}.b", (fan_out,), tfl.TensorType.INT32,
                           weight_scales * np.float32(source_scale), zeros, layer.bias)
        out = flat.tensor(layer.name, (1, fan_out), tfl.TensorType.INT8, [layer.scale], [layer.zero])
        _fully_connected(flat, [tensors[layer.source], weights, bias], out, layer.relu)
        tensors[layer.name], scales[layer.name] = out, layer.scale
    return flat.serialise([x], [tensors["first"], tensors["second"]])


def float_tflite() -> bytes:
    flat = FlatModel()
    x = flat.tensor("x", INPUT_SHAPE, tfl.TensorType.FLOAT32)
    flattened = _flatten(flat, x, tfl.TensorType.FLOAT32, None, None)
    weights = flat.tensor("w", (2, 24), tfl.TensorType.FLOAT32, data=np.ones((2, 24), np.float32))
    out = flat.tensor("y", (1, 2), tfl.TensorType.FLOAT32)
    _fully_connected(flat, [flattened, weights, -1], out, relu=False)
    return flat.serialise([x], [out])


def _flatten(flat, x, kind, scales, zeros) -> int:
    shape = flat.tensor("shape", (2,), tfl.TensorType.INT32, data=np.array([1, 24], np.int32))
    flattened = flat.tensor("flattened", (1, 24), kind, scales, zeros)
    options = tfl.ReshapeOptionsT()
    options.newShape = [1, 24]
    flat.operator(0, [x, shape], [flattened], tfl.BuiltinOptions.ReshapeOptions, options)
    return flattened


def _fully_connected(flat, inputs, out, relu) -> None:
    options = tfl.FullyConnectedOptionsT()
    options.fusedActivationFunction = (tfl.ActivationFunctionType.RELU if relu
                                       else tfl.ActivationFunctionType.NONE)
    flat.operator(1, inputs, [out], tfl.BuiltinOptions.FullyConnectedOptions, options)


# --- ONNX ---


def heads_onnx(quantization: dict | None) -> onnx.ModelProto:
    nodes, constants, scales = [], [], {"x": INPUT_SCALE}

    def constant(name, value) -> str:
        constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def grid(name, scale, zero) -> list[str]:
        return [constant(f"{name}.scale", np.float32(scale)), constant(f"{name}.zero", np.int8(zero))]

    quantised = {"x": grid("x", INPUT_SCALE, INPUT_ZERO)}
    nodes.append(helper.make_node("DequantizeLinear", ["x", *quantised["x"]], ["x.float"]))
    nodes.append(helper.make_node("Reshape", ["x.float", constant("shape", np.array([1, 24]))], ["x.flat"]))
    nodes.append(helper.make_node("QuantizeLinear", ["x.flat", *quantised["x"]], ["x.flat.q"]))
    nodes.append(helper.make_node("DequantizeLinear", ["x.flat.q", *quantised["x"]], ["x.read"]))
    for layer in layers():
        name, source_scale = layer.name, scales[layer.source]
        weight_scales, zeros = layer.weight_scales(source_scale), np.zeros(len(layer.bias), np.int8)
        weights = [constant(f"{name}.w", layer.weights), constant(f"{name}.w.scale", weight_scales),
                   constant(f"{name}.w.zero", zeros)]
        bias = [constant(f"{name}.b", layer.bias),
                constant(f"{name}.b.scale", weight_scales * np.float32(source_scale)),
                constant(f"{name}.b.zero", zeros.astype(np.int32))]
        nodes.append(helper.make_node("DequantizeLinear", weights, [f"{name}.w.float"], axis=0))
        nodes.append(helper.make_node("DequantizeLinear", bias, [f"{name}.b.float"], axis=0))
        made = f"{name}.sum" if layer.relu else f"{name}.float"
        nodes.append(helper.make_node("Gemm", [f"{layer.source}.read", f"{name}.w.float", f"{name}.b.float"],
                                      [made], transB=1))
        if layer.relu:
            nodes.append(helper.make_node("Relu", [made], [f"{name}.float"]))
        quantised[name] = grid(name, layer.scale, layer.zero)
        nodes.append(helper.make_node("QuantizeLinear", [f"{name}.float", *quantised[name]], [name]))
        nodes.append(helper.make_node("DequantizeLinear", [name, *quantised[name]], [f"{name}.read"]))
        scales[name] = layer.scale
    unused = {"first.read", "second.read"}
    nodes = [node for node in nodes if node.output[0] not in unused]
    outputs = [helper.make_tensor_value_info(layer.name, TensorProto.INT8, (1, len(layer.bias)))
               for layer in layers()[1:]]
    inputs = [helper.make_tensor_value_info("x", TensorProto.INT8, INPUT_SHAPE)]
    return _onnx_model(nodes, inputs, outputs, constants, quantization)


def heads_quantization() -> dict:
    first, second = layers()[1:]
    return {"inputs": {"x": {"scale": INPUT_SCALE, "zero_point": INPUT_ZERO}},
            "outputs": {layer.name: {"scale": layer.scale, "zero_point": layer.zero}
                        for layer in (first, second)}}


def float_onnx() -> onnx.ModelProto:
    nodes = [helper.make_node("Flatten", ["x"], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["y"])]
    return _onnx_model(
        nodes,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, INPUT_SHAPE)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 2))],
        [numpy_helper.from_array(np.ones((24, 2), np.float32), "w")], None)


def external_onnx() -> onnx.ModelProto:
    model = heads_onnx(heads_quantization())
    onnx.external_data_helper.convert_model_to_external_data(model, location="heads.data", size_threshold=100)
    for tensor in model.graph.initializer:
        if tensor.external_data:
            tensor.ClearField("raw_data")
    return model


def _onnx_model(nodes, inputs, outputs, constants, quantization) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "main", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if quantization is not None:
        helper.set_model_props(model, {METADATA_KEY: json.dumps(quantization)})
    onnx.checker.check_model(model)
    return model


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    write_arrays(FOLDER / "heads.npz")
    (FOLDER / "heads.tflite").write_bytes(heads_tflite())
    (FOLDER / "float.tflite").write_bytes(float_tflite())
    (FOLDER / "heads.onnx").write_bytes(heads_onnx(heads_quantization()).SerializeToString(deterministic=True))
    (FOLDER / "bare.onnx").write_bytes(heads_onnx(None).SerializeToString(deterministic=True))
    (FOLDER / "float.onnx").write_bytes(float_onnx().SerializeToString(deterministic=True))
    (FOLDER / "external.onnx").write_bytes(external_onnx().SerializeToString(deterministic=True))


if __name__ == "__main__":
    main()
