"""One contract over every kind of teacher, on small ones with random weights; names, and what is said of others."""

import json
import shutil

import numpy as np
import onnx
import pytest
import torch

from edge.bundle import DEFAULT
from edge.errors import ExportError, ShapeError, UsageError
from edge.video.source import Frame
from export.catalog.choice import ModelChoice
from export.cli import main
from export.models.video import EfficientNetLite0
from export.teachers.base import declaration
from export.teachers.efficientnet import EfficientNetTeacher
from export.teachers.open import TEACHERS, known, open_any
from export.teachers.projection import Projection
from export.teachers.yamnet import POOLED, SCORES, Yamnet

transformers = pytest.importorskip("transformers")
from export.teachers.transformer import TextEncoder  # noqa: E402

WORDS = ("<pad>", "<unk>", "<s>", "</s>", "slow", "piano", "music", "a", "fast", "drum", "solo")
SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}


def tokenizer():
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", unk_token="<unk>", bos_token="<s>", eos_token="</s>",
        cls_token="<s>", sep_token="</s>", model_max_length=20)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "clip"
    text = {**SMALL, "vocab_size": len(WORDS), "max_position_embeddings": 20, "eos_token_id": 3, "bos_token_id": 2,
            "pad_token_id": 0}
    config = transformers.CLIPConfig(text_config=text, vision_config={**SMALL, "image_size": 32, "patch_size": 8},
                                     projection_dim=12)
    transformers.CLIPModel(config).save_pretrained(folder)
    transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
                                    ).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def clap(tmp_path_factory):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "clap"
    text = {**SMALL, "vocab_size": len(WORDS), "max_position_embeddings": 40, "pad_token_id": 0}
    audio = {"hidden_size": 16, "patch_embeds_hidden_size": 8, "depths": [1, 1], "num_attention_heads": [2, 2],
             "num_hidden_layers": 2, "spec_size": 64, "num_mel_bins": 16, "patch_size": 4, "patch_stride": [4, 4],
             "window_size": 4, "num_classes": 3, "enable_fusion": False}
    config = transformers.ClapConfig(text_config=text, audio_config=audio, projection_dim=12)
    transformers.ClapModel(config).save_pretrained(folder)
    transformers.ClapFeatureExtractor(feature_size=16, max_length_s=1, truncation="rand_trunc").save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "sentences"
    transformers.BertModel(transformers.BertConfig(**SMALL, vocab_size=len(WORDS), max_position_embeddings=20)
                           ).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def yamnet(tmp_path_factory):
    """A quantised graph with YAMNet's inputs and outputs: the first 1,024 of a patch's numbers, then a layer."""
    folder = tmp_path_factory.mktemp("models")
    weights = np.random.default_rng(0).normal(size=(521, 1024)).astype(np.float32)
    constants = {"scale": np.float32(0.5), "zero": np.uint8(128), "shape": np.array([1, 6144]),
                 "begin": np.array([0]), "end": np.array([1024]), "axis": np.array([1]), "weights": weights}
    node = onnx.helper.make_node
    nodes = [node("DequantizeLinear", ["audio", "scale", "zero"], ["audio_real"]),
             node("Reshape", ["audio_real", "shape"], ["flat"]),
             node("QuantizeLinear", ["flat", "scale", "zero"], ["flat_q"]),
             node("DequantizeLinear", ["flat_q", "scale", "zero"], ["flat_qdq"]),
             node("Slice", ["flat_qdq", "begin", "end", "axis"], [POOLED]),
             node("Gemm", [POOLED, "weights"], [SCORES], transB=1),
             node("QuantizeLinear", [SCORES, "scale", "zero"], ["class_scores"])]
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes, "small", [info("audio", onnx.TensorProto.UINT8, [1, 1, 96, 64])],
        [info("class_scores", onnx.TensorProto.UINT8, [1, 521])],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=8),
              folder / "model.onnx")
    rows = "".join(f"{number},/m/{number},Sound {number}\n" for number in range(521))
    (folder / "classes.csv").write_text(f"index,mid,display_name\n{rows}")
    return folder


def teacher(kind, request):
    if kind == "yamnet":
        folder = request.getfixturevalue("yamnet")
        return Yamnet(folder / "model.onnx", folder / "classes.csv")
    if kind == "efficientnet-lite0":
        torch.manual_seed(0)
        return EfficientNetTeacher(EfficientNetLite0().eval())
    if kind == "sentences":
        return TextEncoder(request.getfixturevalue("sentences"), name=kind, most_tokens=8, licence="none")
    return open_any(f"{kind}:{request.getfixturevalue(kind.removesuffix('-text'))}")


def inputs(one):
    if hasattr(one, "rate_hz"):
        return np.random.default_rng(0).normal(0, 3000, (3, one.window_samples)).astype(np.int16)
    if hasattr(one, "side_px"):
        return np.random.default_rng(0).integers(0, 256, (3, one.side_px, one.side_px, 3), dtype=np.uint8)
    return ["slow piano music", "a fast drum solo", "piano"]


@pytest.mark.parametrize("kind", ["efficientnet-lite0", "sentences", "clip", "clip-text", "clap", "clap-text",
                                  "yamnet"])
def test_every_teacher_keeps_the_contract(kind, request):
    one = teacher(kind, request)
    given = inputs(one)
    found = one.embed(given)
    assert (found.shape, found.dtype) == ((3, one.dimension), np.float32)
    assert np.isfinite(found).all()
    largest = np.abs(found).max()
    assert np.abs(found[0] - found[1]).max() > 1e-3 * largest, "what differs is told apart"
    np.testing.assert_allclose(one.embed(given[1:2])[0], found[1], atol=1e-4 * largest, err_msg="each on its own")
    assert one.embed(given[:0]).shape == (0, one.dimension)
    said = declaration(one)
    assert {"name", "dimension", "licence"} < said.keys()
    assert len(said.keys() & {"rate_hz", "side_px", "most_tokens"}) == 1


@pytest.mark.parametrize("kind", ["efficientnet-lite0", "clip", "clap"])
def test_inputs_of_another_shape_are_refused(kind, request):
    one = teacher(kind, request)
    with pytest.raises(ShapeError, match=r"of shape \(2, 7\)"):
        one.embed(np.zeros((2, 7), np.uint8))


def test_clap_hears_the_same_in_both_kinds_of_samples(clap):
    one = open_any(f"clap:{clap}")
    whole = inputs(one)
    np.testing.assert_allclose(one.embed(whole), one.embed(whole.astype(np.float32) / 32768), atol=1e-4)
    assert (one.rate_hz, one.window_samples) == (16_000, 16_000)


def test_yamnet_sees_log_mels_without_any_rounding(yamnet):
    one = Yamnet(yamnet / "model.onnx", yamnet / "classes.csv")
    time_s = np.arange(one.window_samples) / one.rate_hz
    found = one.embed((np.sin(2 * np.pi * 1000 * time_s) * 0.5)[np.newaxis].astype(np.float32))
    frame = found[0, :64]
    np.testing.assert_allclose(found[0, 64:128], frame, atol=0.02, err_msg="a tone is the same in every frame")
    mel_of = 1127 * np.log(1 + np.array([125, 1000, 7500]) / 700)
    assert abs(int(frame.argmax()) - ((mel_of[1] - mel_of[0]) / (mel_of[2] - mel_of[0]) * 65 - 1)) <= 1
    assert frame.max() == pytest.approx(np.log(0.5 / 2 * 200), abs=0.7), "half of a window's sum is its tone"
    assert np.abs(2 * found - np.rint(2 * found)).max() > 0.2, "not on the grid of the quantised graph"
    assert one.class_names[3] == "Sound 3"
    assert ((one.classes(inputs(one)) >= 0) & (one.classes(inputs(one)) <= 1)).all()


def test_another_graph_is_no_yamnet(tmp_path, yamnet):
    (tmp_path / "model.onnx").write_bytes(b"not a graph")
    with pytest.raises(ExportError, match="not the YAMNet"):
        Yamnet(tmp_path / "model.onnx", yamnet / "classes.csv")


def test_a_text_teacher_sees_no_more_than_its_tokens(sentences):
    one = TextEncoder(sentences, name="short", most_tokens=2, licence="none")
    first, second = one.embed(["slow piano music a", "slow piano drum solo"])
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_padding_does_not_count(sentences):
    one = TextEncoder(sentences, name="any", most_tokens=8, licence="none")
    together = one.embed(["piano", "slow piano music a fast drum solo"])
    np.testing.assert_allclose(one.embed(["piano"])[0], together[0], atol=1e-5)


@pytest.mark.parametrize("name", ["", "clip", "clip:", "musicnn-msd:/tmp", "CLIP:/tmp", "nobody"])
def test_names_that_there_are_not_are_answered_with_those_that_there_are(name):
    with pytest.raises(UsageError, match=r"is not one of musicnn-msd, .*clip:FOLDER"):
        known(name)


@pytest.fixture
def taught(tmp_path, clip, clap):
    """A choice of both teachers, and a bundle whose spaces are said to be theirs."""
    shutil.copytree(DEFAULT, tmp_path / "bundle")
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text())
    teachers = []
    for model, name in (("audio", f"clap:{clap}"), ("video", f"clip:{clip}")):
        axes = np.eye(12, 6, dtype=np.float32)
        projection = Projection(name, np.zeros(12, np.float32), np.ones(12, np.float32), axes)
        projection.save(tmp_path / f"{model}.npz")
        teachers.append((name, str(tmp_path / f"{model}.npz")))
        manifest["models"][model]["outputs"][0]["space"] = projection.space
    (tmp_path / "bundle" / "manifest.json").write_text(json.dumps(manifest))
    return ModelChoice(bundle=str(tmp_path / "bundle"), teachers=tuple(teachers))


def test_a_catalogue_takes_both_views_from_clap_and_clip(taught, clip, clap):
    embedders = ModelChoice.from_json(taught.as_json()).open()
    assert {view: embedders.views[view].dimension for view in ("audio", "video", "shot")} == {
        "audio": 6, "video": 6, "shot": 134}
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    seen = embedders.pictures.embed(Frame(picture, 0.0)).vectors
    by_hand = open_any(f"clip:{clip}").embed(picture[np.newaxis])[0, :6]
    np.testing.assert_allclose(seen["video"], by_hand / np.linalg.norm(by_hand), atol=1e-5)
    own = ModelChoice().open().pictures.embed(Frame(picture, 0.0)).vectors
    np.testing.assert_array_equal(seen["shot"], own["shot"], err_msg="what tells shots apart is the device's own")
    assert embedders.pictures.embed(Frame(np.zeros((32, 32, 3), np.uint8), 0.0)) is None
    sound = inputs(open_any(f"clap:{clap}"))[0]
    by_hand = open_any(f"clap:{clap}").embed(sound[np.newaxis])[0, :6]
    heard = embedders.hear(np.tile(sound, 4))["audio"][0].vectors["audio"]
    np.testing.assert_allclose(heard, by_hand / np.linalg.norm(by_hand), atol=1e-5)


def test_a_teacher_of_pictures_with_another_space_is_refused(taught):
    with pytest.raises(ExportError, match=r"the teacher embeds the video view into 'clip:.*', the bundle .* into 'eff"):
        ModelChoice(teachers=taught.teachers[1:]).open()


def test_two_teachers_of_one_kind_and_one_of_text_are_refused(taught, clip):
    with pytest.raises(UsageError, match="there is another one that takes sound"):
        ModelChoice(bundle=taught.bundle, teachers=taught.teachers[:1] * 2).open()
    with pytest.raises(UsageError, match="no view of a catalogue is made of text"):
        ModelChoice(teachers=((f"clip-text:{clip}", taught.teachers[0][1]),)).open()


def test_a_folder_without_a_model_is_named(tmp_path, clip):
    with pytest.raises(ExportError, match="is not a folder"):
        open_any(f"clip:{tmp_path / 'none'}")
    with pytest.raises(ExportError, match="no ClapModel can be read there"):
        open_any(f"clap:{tmp_path}")


def test_pickled_weights_are_not_opened(tmp_path, clip):
    """A pytorch_model.bin is a pickle: it is refused, not loaded."""
    shutil.copytree(clip, tmp_path / "m")
    (tmp_path / "m" / "model.safetensors").unlink()
    (tmp_path / "m" / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch /tmp/pickled'\ntR.")
    with pytest.raises(ExportError, match="no CLIPModel can be read there"):
        open_any(f"clip:{tmp_path / 'm'}")


def test_the_command_lists_declares_and_embeds(clip, capsys):
    assert main(["teachers", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {teacher.usage: teacher.takes for teacher in TEACHERS}
    assert main(["teachers", f"clip-text:{clip}", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["most_tokens"] == 20
    assert main(["teachers", f"clip-text:{clip}", "slow piano", "a drum", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["input"] for row in found["embeddings"]] == ["slow piano", "a drum"]
    assert [len(row["vector"]) for row in found["embeddings"]] == [12, 12]
    assert main(["teachers", "nobody"]) == 2
