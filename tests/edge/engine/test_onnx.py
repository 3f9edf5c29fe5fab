"""What only ONNX can get wrong: the scales that lie in its metadata, and weights in other files."""

import json

import numpy as np
import pytest

from edge.engine.onnx import METADATA_KEY, OnnxEngine
from edge.errors import ModelFileError

pytest.importorskip("onnxruntime", reason="no onnx runtime here")


@pytest.fixture
def with_metadata(models, tmp_path):
    """heads.onnx with another text under METADATA_KEY."""
    onnx = pytest.importorskip("onnx")

    def write(text: str):
        model = onnx.load(models / "heads.onnx")
        onnx.helper.set_model_props(model, {METADATA_KEY: text})
        path = tmp_path / "model.onnx"
        path.write_bytes(model.SerializeToString())
        return path

    return write


def test_a_model_without_scales_is_refused(models):
    with pytest.raises(ModelFileError, match=r"bare\.onnx: has no roomtone\.quantization .* export the model"):
        OnnxEngine(models / "bare.onnx")


def test_external_data_is_refused_even_when_the_other_file_is_there(models, tmp_path, monkeypatch):
    (tmp_path / "external.onnx").write_bytes((models / "external.onnx").read_bytes())
    (tmp_path / "heads.data").write_bytes(bytes(65536))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelFileError, match="keeps its weights in another file"):
        OnnxEngine(tmp_path / "external.onnx")


@pytest.mark.parametrize(("text", "said"), [
    ("{", "is not JSON"),
    ("[" * 100_000, "is not JSON"),
    ("[]", "must be an object, not list"),
    ("{}", "inputs must be an object"),
    ('{"inputs": {}}', "x must be an object"),
    ('{"inputs": {"x": {"scale": "0.1", "zero_point": 0}}}', "'scale' must be a number"),
    ('{"inputs": {"x": {"scale": 0.1, "zero_point": 0.5}}}', "'zero_point' must be a whole number"),
    ('{"inputs": {"x": {"scale": 0.1, "zero_point": 128}}}', "must lie in -128 to 127"),
])
def test_metadata_that_cannot_be_used_says_where(with_metadata, text, said):
    with pytest.raises(ModelFileError, match=said):
        OnnxEngine(with_metadata(text))


@pytest.mark.parametrize("scale", ["0", "-1", "NaN", "Infinity", "1" + "0" * 400])
def test_a_scale_must_be_finite_and_above_zero(models, with_metadata, scale):
    grids = {"scale": 0.1, "zero_point": 0}
    text = json.dumps({"inputs": {"x": grids}, "outputs": {"first": grids, "second": {**grids, "scale": "HERE"}}})
    with pytest.raises(ModelFileError, match="scale"):
        OnnxEngine(with_metadata(text.replace('"HERE"', scale)))


def test_a_changing_shape_is_refused(models, tmp_path):
    onnx = pytest.importorskip("onnx")
    model = onnx.load(models / "heads.onnx")
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelFileError, match=r"x has the changing shape \('batch', 6, 4\)"):
        OnnxEngine(path)


def test_a_model_of_two_inputs_is_refused(models, tmp_path):
    onnx = pytest.importorskip("onnx")
    model = onnx.load(models / "heads.onnx")
    model.graph.input.append(onnx.helper.make_tensor_value_info("y", onnx.TensorProto.INT8, (1,)))
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelFileError, match="has 2 inputs"):
        OnnxEngine(path)


def test_both_formats_agree_to_the_last_bit_with_ai_edge_litert(models):
    pytest.importorskip("ai_edge_litert")
    from edge.engine.tflite import TfliteEngine

    rng = np.random.default_rng(1)
    with OnnxEngine(models / "heads.onnx") as onnx, TfliteEngine(models / "heads.tflite") as tflite:
        for _ in range(50):
            x = rng.integers(-128, 128, (1, 6, 4), dtype=np.int8)
            for one, other in zip(onnx.run(x), tflite.run(x), strict=True):
                np.testing.assert_array_equal(one, other)
