"""A bundle as the device opens it: what its manifest says, and what it may not say."""

import json

import pytest

from edge.bundle import DEFAULT, Output, open_bundle
from edge.errors import BundleError
from export.manifest import seal

DOCUMENT = {
    "format": 1, "name": "mine", "version": "7",
    "models": {
        "audio": {
            "files": {"litert": "audio.tflite", "onnx": "audio.onnx"}, "input_shape": [1, 300, 20],
            "outputs": [{"view": "audio", "dimension": 64, "space": "a@1"},
                        {"view": "recording", "dimension": 32, "space": "r@1"}],
            "frontend": {"kind": "mfcc", "constants": "front.npz"}, "parity": {"inputs": 8}},
        "video": {
            "files": {"litert": "video.tflite"}, "input_shape": [1, 224, 224, 3],
            "outputs": [{"view": "video", "dimension": 64, "space": "v@1"}],
            "frontend": {"kind": "image"}, "parity": {}}}}


@pytest.fixture
def write(tmp_path):
    """Write a bundle whose document was altered: ``write("models.audio.input_shape", [])``."""

    def write(place: str = "", value=None):
        for name in ("audio.tflite", "audio.onnx", "video.tflite", "front.npz"):
            (tmp_path / name).write_bytes(name.encode())
        document = json.loads(json.dumps(DOCUMENT))
        *way, last = place.split(".")
        table = document
        for key in way:
            table = table[int(key)] if isinstance(table, list) else table[key]
        if place:
            table[last] = value
        seal(tmp_path, document)
        return tmp_path

    return write


def test_what_the_manifest_says(write):
    folder = write()
    bundle = open_bundle(folder)
    audio = bundle.model("audio")
    assert (bundle.path, bundle.name, bundle.version) == (folder, "mine", "7")
    assert sorted(bundle.models) == ["audio", "video"]
    assert (audio.kind, audio.input_shape, audio.folder) == ("audio", (1, 300, 20), folder)
    assert audio.outputs == (Output("audio", 64, "a@1"), Output("recording", 32, "r@1"))
    assert audio.file("onnx") == folder / "audio.onnx"
    assert (audio.frontend["kind"], audio.parity) == ("mfcc", {"inputs": 8})
    assert bundle.spaces() == {
        "audio": "a@1", "recording": "r@1", "video": "v@1", "shot": "v@1+layout53+motion17"}


def test_a_classifier_is_no_space_and_recordings_have_a_least_sureness(write):
    kind = {"view": "kind", "dimension": 2, "space": "k", "labels": ["speech", "music"], "exclusive": True}
    recording = {"view": "recording", "dimension": 32, "space": "r@1", "least_sureness": 0.75}
    bundle = open_bundle(write("models.audio.outputs", [recording, kind]))
    assert bundle.model("audio").outputs == (
        Output("recording", 32, "r@1", least_sureness=0.75),
        Output("kind", 2, "k", labels=("speech", "music"), exclusive=True))
    assert "kind" not in bundle.spaces()
    assert bundle.spaces()["recording"] == "r@1"


@pytest.mark.parametrize("labels", [["speech"], ["a", "a"], ["a", 3], "ab", [["a"], ["b"]]])
def test_labels_are_one_name_for_each_value(write, labels):
    with pytest.raises(BundleError, match="labels"):
        open_bundle(write("models.audio.outputs", [{"view": "kind", "dimension": 2, "space": "k", "labels": labels}]))


def test_the_shipped_bundle_opens_and_serves_both_runtimes():
    bundle = open_bundle()
    assert bundle.path == DEFAULT
    assert {"audio", "video"} <= set(bundle.models)
    for model in bundle.models.values():
        assert set(model.files) == {"litert", "onnx"}
    assert sum(path.stat().st_size for path in DEFAULT.iterdir()) < 10_000_000


def test_a_model_or_a_runtime_that_is_not_there_is_told_what_is(write):
    bundle = open_bundle(write())
    with pytest.raises(BundleError, match="no ranker model, only audio, video"):
        bundle.model("ranker")
    with pytest.raises(BundleError, match="no video model for the onnx runtime; it has litert"):
        bundle.model("video").file("onnx")


@pytest.mark.parametrize(("place", "value", "said"), [
    ("models.smell", {}, "unknown kind of model 'smell'"),
    ("models.audio", None, "audio must be an object"),
    ("models", [], "models must be an object"),
    ("name", 3, "'name' must be text"),
    ("version", None, "'version' must be text"),
    ("models.audio.files", {"litert": "../audio.tflite"}, "audio names '../audio.tflite', which the manifest does not"),
    ("models.audio.files", {"litert": "missing.tflite"}, "audio names 'missing.tflite'"),
    ("models.audio.files", {"litert": 5}, "'litert' must be text"),
    ("models.audio.frontend", {"kind": "mfcc", "constants": "/etc/passwd"}, "names '/etc/passwd'"),
    ("models.audio.frontend", {"constants": ["front.npz"]}, "'constants' must be text"),
    ("models.audio.input_shape", [], "input_shape"),
    ("models.audio.input_shape", [1, 0], "input_shape"),
    ("models.audio.input_shape", [1, -300], "input_shape"),
    ("models.audio.input_shape", [1, 300.0], "input_shape"),
    ("models.audio.input_shape", [True], "input_shape"),
    ("models.audio.input_shape", [1 << 40], "input_shape"),
    ("models.audio.input_shape", "300", "'input_shape' must be a list"),
    ("models.audio.outputs", {}, "'outputs' must be a list"),
    ("models.audio.outputs", ["audio"], "outputs must be an object"),
    ("models.audio.outputs", [{"view": "audio", "dimension": 0, "space": "a"}], "'dimension' = 0"),
    ("models.audio.outputs", [{"view": "audio", "dimension": 64}], "'space' must be text"),
    ("models.audio.parity", None, "parity must be an object"),
])
def test_a_document_that_cannot_be_used_names_its_place(write, place, value, said):
    folder = write(place, value)
    with pytest.raises(BundleError, match=said) as raised:
        open_bundle(folder)
    assert str(folder) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_one_flipped_byte_in_any_file_is_found(write):
    folder = write()
    for path in sorted(folder.iterdir()):
        if path.name != "manifest.json":
            content = path.read_bytes()
            path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
            with pytest.raises(BundleError, match=f"{path.name}: altered"):
                open_bundle(folder)
            path.write_bytes(content)
    open_bundle(folder)
