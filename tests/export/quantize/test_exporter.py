"""Whole exports: models that are not ours pass both formats and the gate; what cannot is refused in words."""

import numpy as np
import onnx as onnx_library
import pytest
import torch
from torch import nn

from edge import firmware
from edge.bundle import Output, open_bundle
from edge.engine.open import open_engine
from edge.errors import BudgetError, ExportError
from export.frontend import image_frontend
from export.quantize import onnx, tflite
from export.quantize.exporter import export_model
from export.quantize.folding import fold_batch_norm
from export.quantize.graph import trace
from export.quantize.layout import Relaid
from export.quantize.options import Options
from export.quantize.parity import Thresholds, embed, embed_all
from tests.export.quantize.architectures import (
    Around,
    Branching,
    DsCnn,
    MobileNet,
    ResNet8,
    Spectral,
    TemporalCnn,
    settled,
)


def export(model, kind, inputs, dimensions, out, options=None, **more):
    outputs = [Output(f"{kind}{index or ''}", size, f"test@{index}") for index, size in enumerate(dimensions)]
    frontend = image_frontend() if kind == "video" else {"kind": "features"}
    return export_model(
        model, kind=kind, input_shape=(1, *inputs.shape[1:]), outputs=outputs, frontend=frontend, constants=None,
        calibration=inputs[:32], validation=inputs[32:], out=out, name="test", version="1", options=options, **more)


@pytest.fixture(scope="module")
def resnet(tmp_path_factory, pictures):
    model = settled(ResNet8(), torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy()))
    out = tmp_path_factory.mktemp("resnet") / "bundle"
    return model, out, export(model, "video", pictures, [10], out, Options(classes=True))


def test_resnet8_of_mlperf_tiny(resnet):
    _, _, report = resnet
    assert report.layout == "(1, channels, height, width)"
    for runtime in ("litert", "onnx"):
        assert report.parity[runtime]["video"]["cosine_mean"] > 0.999
        assert report.parity[runtime]["video"]["top1_agreement"] >= 0.9
    assert report.float_layers == ()
    assert report.float_operations["litert"] == []


def test_the_bundle_is_what_was_measured(resnet, pictures):
    model, out, report = resnet
    bundle = open_bundle(out)
    with torch.no_grad():
        wanted = model(torch.from_numpy(pictures[32:].transpose(0, 3, 1, 2).copy())).numpy()
    for runtime in ("litert", "onnx"):
        with open_engine(runtime, bundle.model("video").file(runtime)) as engine:
            assert engine.input.shape == (1, 32, 32, 3)
            got = embed_all(engine, pictures[32:])[0]
        assert np.abs(got - wanted).max() < 0.1 * np.abs(wanted).max()
    assert bundle.model("video").parity == report.parity
    assert "ResNet8" in (out / "video_card.md").read_text()


def test_the_same_inputs_give_the_same_bytes(resnet, pictures, tmp_path):
    model, out, _ = resnet
    export(model, "video", pictures, [10], tmp_path / "again", Options(classes=True))
    first, second = ({path.name: path.read_bytes() for path in sorted(folder.iterdir())}
                     for folder in (out, tmp_path / "again"))
    assert first == second


def test_the_onnx_file_is_one_that_old_runtimes_load(resnet):
    model = onnx_library.load(resnet[1] / "video.onnx")
    assert model.ir_version == 8
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 18)]
    assert {tensor.data_location for tensor in model.graph.initializer} == {onnx_library.TensorProto.DEFAULT}


def test_ds_cnn_of_mlperf_tiny(cepstra, tmp_path):
    model = settled(DsCnn(), torch.from_numpy(cepstra[:, np.newaxis]))
    report = export(model, "audio", cepstra, [12], tmp_path / "bundle", Options(classes=True))
    assert report.layout == "(1, 1, frames, coefficients)"
    assert min(report.parity[runtime]["audio"]["cosine_mean"] for runtime in ("litert", "onnx")) > 0.999


def test_a_mobilenet_that_takes_nhwc(pictures, tmp_path):
    model = settled(MobileNet(), torch.from_numpy(pictures))
    report = export(model, "video", pictures, [32], tmp_path / "bundle")
    assert report.layout == "(1, height, width, channels)"
    assert min(report.parity[runtime]["video"]["cosine_mean"] for runtime in ("litert", "onnx")) > 0.995


def test_a_temporal_cnn_of_two_heads_keeps_their_order(cepstra, tmp_path):
    model = settled(TemporalCnn(), torch.from_numpy(cepstra.transpose(0, 2, 1).copy()))
    report = export(model, "audio", cepstra, [24, 16], tmp_path / "bundle")
    assert report.layout == "(1, coefficients, frames)"
    for runtime in ("litert", "onnx"):
        assert {view: found["cosine_mean"] > 0.995 for view, found in report.parity[runtime].items()} == {
            "audio": True, "audio1": True}


class Recurrent(nn.Module):
    """An operation of several results."""

    def __init__(self) -> None:
        super().__init__()
        self.memory, self.embedding = nn.GRU(10, 16, batch_first=True), nn.Linear(16, 12)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.embedding(self.memory(x)[0][:, -1])


def test_a_recurrent_network(cepstra, tmp_path):
    model = settled(Recurrent(), torch.from_numpy(cepstra[:, :12].copy()))
    report = export(model, "audio", np.ascontiguousarray(cepstra[:, :12]), [12], tmp_path / "bundle")
    assert min(report.parity[runtime]["audio"]["cosine_mean"] for runtime in ("litert", "onnx")) > 0.99


def test_a_model_that_ends_with_its_pool(resnet, pictures, tmp_path):
    """As image backbones without their classifier do; onnxruntime's quantiser leaves the average in float."""
    model = nn.Sequential(resnet[0].stem, resnet[0].stacks, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    report = export(model.eval(), "video", pictures, [64], tmp_path / "bundle")
    for runtime in ("litert", "onnx"):
        assert report.parity[runtime]["video"]["cosine_mean"] > 0.999
        with open_engine(runtime, open_bundle(tmp_path / "bundle").model("video").file(runtime)) as engine:
            assert engine.outputs[0].dtype == np.int8


@pytest.mark.parametrize("activations", ["int8", "uint8"])
def test_a_float_prefix_keeps_int8_at_both_ends(resnet, pictures, activations):
    graph = trace(Relaid(resnet[0], lambda x: x.permute(0, 3, 1, 2)), torch.from_numpy(pictures[:1]))
    fold_batch_norm(graph)
    real = onnx.float_onnx(graph, pictures[:1], ["video"]), tflite.float_tflite(graph, pictures[:1])
    made = {"onnx": onnx.int8_onnx(real[0], pictures[:16], float_prefix=2, activations=activations),
            "litert": tflite.int8_tflite(real[1], pictures[:16], float_prefix=2)}
    with torch.no_grad():
        wanted = graph(torch.from_numpy(pictures[40:41])).numpy()
    for runtime, content in made.items():
        got = embed(runtime, content, pictures[40:41])[0]
        assert np.abs(got - wanted).max() < 0.1 * np.abs(wanted).max(), runtime
    assert tflite.float_operations(made["litert"]).count("CONV_2D") == 2


def test_inputs_beyond_the_front_ends_limit_do_not_widen_the_grid(resnet, pictures, tmp_path):
    outlier = pictures.copy()
    outlier[:, 0, 0, 0] = -60
    export_model(
        resnet[0], kind="video", input_shape=(1, 32, 32, 3), outputs=[Output("video", 10, "t")],
        frontend={**image_frontend(), "limit": 8.0}, constants=None, calibration=outlier[:32], validation=outlier[32:],
        out=tmp_path / "b", name="t", version="1", options=Options(runtimes=("litert",)))
    with open_engine("litert", tmp_path / "b" / "video.tflite") as engine:
        assert engine.input.scale * 255 <= 16.001


def test_a_second_model_joins_the_bundle(resnet, cepstra, tmp_path):
    import shutil

    shutil.copytree(resnet[1], tmp_path / "bundle")
    export(settled(DsCnn(), torch.from_numpy(cepstra[:, np.newaxis])), "audio", cepstra, [12], tmp_path / "bundle",
           Options(runtimes=("litert",)))
    bundle = open_bundle(tmp_path / "bundle")
    assert sorted(bundle.models) == ["audio", "video"]
    assert bundle.model("video").parity == resnet[2].parity
    assert (tmp_path / "bundle" / "video_card.md").is_file()


@pytest.mark.parametrize(("part", "said"), [
    (Branching(), r"part \(Branching\) has no fixed graph of operations"),
    (Spectral(), r"cannot express part \(Spectral\) with its operation aten.special_bessel_j0"),
    (nn.LSTM, r"does not run on an input"),
])
def test_what_cannot_be_expressed_is_named(part, said, pictures, tmp_path):
    model = Around(part if isinstance(part, nn.Module) else part(4, 4)).eval()
    with pytest.raises(ExportError, match=said):
        export(model, "video", pictures, [16], tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_an_output_that_is_no_embedding_is_named(pictures, tmp_path):
    with pytest.raises(ExportError, match=r"Conv2d gives \(1, 4, 30, 30\), which is not an embedding"):
        export(nn.Conv2d(3, 4, 3).eval(), "video", pictures, [4], tmp_path / "bundle")


def test_a_loss_over_the_threshold_writes_nothing_and_names_layers(resnet, pictures, tmp_path):
    strict = Options(thresholds=Thresholds(cosine_mean=0.9999999), most_float_prefix=0, runtimes=("litert",))
    page = tmp_path / "report.html"
    with pytest.raises(ExportError, match=r"cosine_mean 0\.99\d+ is below .*; the layers that lose most are \w+"):
        export(resnet[0], "video", pictures, [10], tmp_path / "bundle", strict, report_page=page)
    assert not (tmp_path / "bundle").exists()
    assert "is below" in page.read_text()
    assert page.with_suffix(".json").is_file()


def test_a_profile_without_room_refuses_with_the_figure(resnet, pictures, tmp_path):
    import dataclasses

    zero = firmware.load("rpi-zero-2w-speaker")
    small = dataclasses.replace(zero, memory=dataclasses.replace(zero.memory, budget_mib=32))
    with pytest.raises(BudgetError, match=r"needs 0\.\d MiB .* leaves 0\.0 MiB"):
        export(resnet[0], "video", pictures, [10], tmp_path / "bundle", Options(profile=small, runtimes=("litert",)))


@pytest.mark.parametrize(("spoil", "said"), [
    (lambda inputs: inputs[:8], "too few"),
    (lambda inputs: inputs[:, :20], "the model takes float32"),
    (lambda inputs: np.where(inputs > 2, np.nan, inputs).astype(np.float32), "not finite"),
])
def test_bad_calibration_is_refused(spoil, said, pictures, tmp_path):
    with pytest.raises(ExportError, match=said):
        export_model(
            ResNet8().eval(), kind="video", input_shape=(1, 32, 32, 3), outputs=[Output("video", 10, "t")],
            frontend=image_frontend(), constants=None, calibration=spoil(pictures), validation=pictures,
            out=tmp_path / "b", name="t", version="1")
