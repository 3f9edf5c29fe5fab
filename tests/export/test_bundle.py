import dataclasses

import pytest

from edge.bundle import Output, open_bundle
from edge.errors import BundleError
from export.bundle import ModelFiles, write_bundle

VIDEO = ModelFiles(
    kind="video", input_shape=(1, 8, 8, 3), outputs=(Output("video", 4, "v@1"),),
    frontend={"kind": "image", "mean": [0, 0, 0], "std": [1, 1, 1]}, parity={"inputs": 3},
    models={"litert": ("video.tflite", b"tflite"), "onnx": ("video.onnx", b"onnx")},
    extra={"video_card.md": b"# card"})
AUDIO = ModelFiles(
    kind="audio", input_shape=(1, 9, 5), outputs=(Output("audio", 4, "a@1"), Output("recording", 4, "r@1")),
    frontend={"kind": "mfcc", "constants": "audio_frontend.npz"}, parity={},
    models={"litert": ("audio.tflite", b"audio")}, extra={"audio_frontend.npz": b"npz", "audio_card.md": b"# a"})


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_what_is_written_is_what_is_opened(tmp_path):
    write_bundle(tmp_path / "b", VIDEO, name="mine", version="3")
    bundle = open_bundle(tmp_path / "b")
    model = bundle.model("video")
    assert (bundle.name, bundle.version, model.outputs, model.parity) == ("mine", "3", VIDEO.outputs, VIDEO.parity)
    assert model.file("onnx").read_bytes() == b"onnx"


def test_another_kind_joins_and_the_same_kind_is_replaced(tmp_path):
    write_bundle(tmp_path / "b", VIDEO, name="mine", version="1")
    write_bundle(tmp_path / "b", AUDIO, name="mine", version="2")
    write_bundle(tmp_path / "b", dataclasses.replace(VIDEO, models={"litert": ("video.tflite", b"new")}),
                 name="mine", version="3")
    bundle = open_bundle(tmp_path / "b")
    assert bundle.spaces() == {
        "audio": "a@1", "recording": "r@1", "video": "v@1", "shot": "v@1+layout53+motion17"}
    assert sorted(contents(tmp_path / "b")) == [
        "audio.tflite", "audio_card.md", "audio_frontend.npz", "manifest.json", "video.tflite", "video_card.md"]
    assert bundle.model("video").file("litert").read_bytes() == b"new"


def test_the_same_models_give_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        for model in (VIDEO, AUDIO):
            write_bundle(tmp_path / folder, model, name="mine", version="1")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_nothing_else_is_left_behind(tmp_path):
    write_bundle(tmp_path / "deep" / "b", VIDEO, name="mine", version="1")
    write_bundle(tmp_path / "deep" / "b", VIDEO, name="mine", version="2")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["b"]


def test_a_damaged_bundle_is_not_added_to(tmp_path):
    write_bundle(tmp_path / "b", VIDEO, name="mine", version="1")
    (tmp_path / "b" / "video.onnx").write_bytes(b"ONNX")
    before = contents(tmp_path / "b")
    with pytest.raises(BundleError, match=r"video\.onnx: altered"):
        write_bundle(tmp_path / "b", AUDIO, name="mine", version="2")
    assert contents(tmp_path / "b") == before


def test_a_folder_that_is_no_bundle_is_not_replaced(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"cat")
    with pytest.raises(BundleError, match="is not a bundle"):
        write_bundle(tmp_path / "photos", VIDEO, name="mine", version="1")
    assert contents(tmp_path / "photos") == {"cat.jpg": b"cat"}
