"""The encoder on a small real int8 model whose embedding is the picture's mean colour."""

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edge.bundle import Model, Output
from edge.engine.open import open_engine
from edge.errors import BundleError
from edge.video.encoder import VideoEncoder, is_blank
from edge.video.source import Frame
from export.frontend import image_frontend

SIZE, SCALE = 8, 1 / 127


def write_mean_colour(path):
    """(1, 8, 8, 3) int8 -> average over the picture -> (1, 3) int8, all on one grid of 1/127 about 0."""
    nodes = [
        helper.make_node("DequantizeLinear", ["image", "scale", "zero"], ["real"]),
        helper.make_node("ReduceMean", ["real", "axes"], ["mean"], keepdims=0),
        helper.make_node("QuantizeLinear", ["mean", "scale", "zero"], ["colour"]),
    ]
    graph = helper.make_graph(
        nodes,
        "mean colour",
        [helper.make_tensor_value_info("image", TensorProto.INT8, (1, SIZE, SIZE, 3))],
        [helper.make_tensor_value_info("colour", TensorProto.INT8, (1, 3))],
        [helper.make_tensor("scale", TensorProto.FLOAT, (), [SCALE]),
         helper.make_tensor("zero", TensorProto.INT8, (), [0]),
         helper.make_tensor("axes", TensorProto.INT64, (2,), [1, 2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    grid = {"scale": SCALE, "zero_point": 0}
    quantization = json.dumps({"inputs": {"image": grid}, "outputs": {"colour": grid}})
    helper.set_model_props(model, {"roomtone.quantization": quantization})
    onnx.save(model, path)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    write_mean_colour(folder / "video.onnx")
    return Model(
        kind="video", files={"onnx": folder / "video.onnx"}, input_shape=(1, SIZE, SIZE, 3),
        outputs=(Output("video", 3, "colours"),), frontend=image_frontend(), parity={}, folder=folder,
    )


@pytest.fixture(scope="module")
def engine(model):
    with open_engine("onnx", model.file("onnx")) as engine:
        yield engine


def half_and_half(first, second):
    image = np.empty((120, 160, 3), np.uint8)
    image[:60], image[60:] = first, second
    return Frame(image, 4.5)


def test_the_embedding_is_the_mean_colour(model, engine):
    embedding = VideoEncoder(model, engine).encode(half_and_half([255, 127, 0], [191, 127, 127]))
    colour = np.array([(128 + 64) / 2, 0, (-127 + 0) / 2])
    assert (embedding.modality, embedding.start_s, embedding.end_s) == ("video", 4.5, 4.5)
    assert list(embedding.vectors) == ["video", "shot"]
    vector = embedding.vectors["video"]
    assert vector.dtype == np.float32
    np.testing.assert_allclose(vector, colour / np.linalg.norm(colour), atol=0.02)


def test_a_blank_picture_has_no_embedding(model, engine):
    encoder = VideoEncoder(model, engine)
    for colour in ([0, 0, 0], [255, 255, 255], [200, 0, 0]):
        assert encoder.encode(half_and_half(colour, colour)) is None
    assert encoder.blank_frames == 3


def test_what_is_blank():
    picture = np.zeros((100, 100, 3), np.uint8)
    assert is_blank(picture)
    assert is_blank(picture + np.random.default_rng(0).integers(0, 4, picture.shape).astype(np.uint8))
    picture[:, :50, 2] = 5
    assert not is_blank(picture)


class Counted:
    """An engine that counts its inferences."""

    def __init__(self, engine):
        self.input, self.outputs, self.runs = engine.input, engine.outputs, 0
        self._engine = engine

    def run(self, values):
        self.runs += 1
        return self._engine.run(values)


def noisy(frame, time_s, *, seed, spread):
    noise = np.random.default_rng(seed).integers(-spread, spread + 1, frame.image.shape)
    return Frame(np.clip(frame.image + noise, 0, 255).astype(np.uint8), time_s)


def test_a_static_picture_is_seen_again_without_an_inference(model, engine):
    counted, still = Counted(engine), half_and_half([200, 127, 20], [60, 127, 127])
    encoder = VideoEncoder(model, counted)
    seen = [encoder.encode(noisy(still, number, seed=number, spread=3)) for number in range(5)]
    assert [embedding.start_s for embedding in seen] == [0, 1, 2, 3, 4]
    assert all(embedding.vectors["video"] is seen[0].vectors["video"] for embedding in seen)
    assert seen[1].vectors["shot"] @ seen[4].vectors["shot"] > 0.99
    assert (counted.runs, encoder.static_frames, encoder.skipped) == (1, 4, 4)
    other = encoder.encode(half_and_half([20, 200, 20], [60, 127, 127]))
    assert counted.runs == 2
    assert other.vectors["video"] @ seen[0].vectors["video"] < 0.9


def test_a_small_thing_that_moves_is_no_static_picture(model, engine):
    counted, image = Counted(engine), half_and_half([200, 127, 20], [60, 127, 127]).image
    moved = image.copy()
    moved[20:40, 20:40] = 0
    encoder = VideoEncoder(model, counted)
    encoder.encode(Frame(image, 0.0))
    encoder.encode(Frame(moved, 1.0))
    assert counted.runs == 2


def test_a_slow_fade_does_not_pass_for_static_for_ever(model, engine):
    counted, still = Counted(engine), half_and_half([200, 127, 20], [60, 127, 127])
    encoder = VideoEncoder(model, counted)
    for step in range(30):
        encoder.encode(Frame((still.image * (1 - step / 60)).astype(np.uint8), step))
    assert counted.runs > 5


def test_static_pictures_are_encoded_where_that_is_asked_for(model, engine):
    counted, still = Counted(engine), half_and_half([200, 127, 20], [60, 127, 127])
    encoder = VideoEncoder(model, counted, skip_static=False)
    encoder.encode(still)
    encoder.encode(still)
    assert (counted.runs, encoder.static_frames) == (2, 0)


def test_results_stay_valid(model, engine):
    encoder = VideoEncoder(model, engine)
    first = encoder.encode(half_and_half([255, 0, 0], [200, 0, 0])).vectors["video"]
    kept = first.copy()
    encoder.encode(half_and_half([0, 0, 255], [0, 0, 200]))
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("changes", [
    {"input_shape": (1, 9, 9, 3)}, {"outputs": (Output("video", 64, "x"),)}, {"outputs": ()},
])
def test_parts_that_do_not_fit_are_refused(model, engine, changes):
    with pytest.raises(BundleError, match="its manifest says"):
        VideoEncoder(replace(model, **changes), engine)
