"""A household in miniature, made with the real writers: three short tunes, a model that tells them apart, a catalogue.

The model is a real int8 ONNX file whose answer is easy to follow: the mean of the window's standardised MFCC frames,
projected to 64 dimensions.
"""

import json
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edge.audio.encoder import AudioEncoder
from edge.bundle import Output, open_bundle
from edge.catalog.items import Item
from edge.engine.onnx import METADATA_KEY
from edge.engine.open import open_engine
from export.bundle import ModelFiles, write_bundle
from export.catalog.writer import ViewData, write_snapshot
from export.frontend import AUDIO_CONSTANTS, write_audio_frontend
from export.signing import make_keys, sign

RATE_HZ = 16000
TUNE_S = 6.0
TUNES = ("Bells", "Drone", "Rattle")
IDS = tuple(f"track:tiny/{title.lower()}" for title in TUNES)
SPACES = {"audio": "tiny-audio@000000000000", "recording": "tiny-recording@000000000000"}


@dataclass(frozen=True)
class Home:
    """Where everything lies."""

    bundle: Path
    """Signed by the key in ``keys``."""
    keys: Path
    catalog: Path
    tunes: dict[str, Path]
    """Item to WAV file."""


def build(folder: Path) -> Home:
    tunes = {item: folder / f"{title}.wav" for item, title in zip(IDS, TUNES, strict=True)}
    sounds = [_tune(number) for number in range(len(TUNES))]
    for path, sound in zip(tunes.values(), sounds, strict=True):
        write_wav(path, sound)
    _write_bundle(folder)
    _write_catalog(folder, sounds)
    return Home(folder / "bundle", _sign_bundle(folder), folder / "catalog", tunes)


def _sign_bundle(folder: Path) -> Path:
    keys = folder / "keys"
    keys.mkdir()
    sign(folder / "bundle", make_keys(keys / "tests").secret)
    return keys


def write_wav(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.astype("<i2").tobytes())


def _tune(number: int) -> np.ndarray:
    """int16: decaying high partials, a low chord, or bursts of noise."""
    random = np.random.default_rng(number)
    time_s = np.arange(int(TUNE_S * RATE_HZ)) / RATE_HZ
    if number == 0:
        signal = np.exp(-6 * (time_s % 0.5)) * np.sin(2 * np.pi * 1800 * time_s)
    elif number == 1:
        signal = sum(np.sin(2 * np.pi * pitch_hz * time_s) for pitch_hz in (98, 147, 196)) / 3
    else:
        signal = random.standard_normal(time_s.size) * (time_s % 0.25 < 0.1) / 3
    noise = random.standard_normal(time_s.size)
    return np.clip(np.round(9000 * signal + 20 * noise), -32768, 32767).astype(np.int16)


def _write_bundle(folder: Path) -> None:
    scales = np.array([3.0, *[12.0] * 19], np.float32)
    frontend = write_audio_frontend(folder, mean=np.zeros(20, np.float32), std=scales)
    outputs = tuple(Output(view, 64, space) for view, space in SPACES.items())
    models = {"onnx": ("audio.onnx", _model().SerializeToString())}
    extra = {AUDIO_CONSTANTS: (folder / AUDIO_CONSTANTS).read_bytes()}
    files = ModelFiles("audio", (1, 300, 20), outputs, frontend, {}, models, extra)
    write_bundle(folder / "bundle", files, name="tiny", version="1")


def _model() -> onnx.ModelProto:
    input_grid, output_grid = {"scale": 0.05, "zero_point": 0}, {"scale": 0.05, "zero_point": 0}
    weights = np.linalg.qr(np.random.default_rng(0).standard_normal((64, 20)))[0].T.astype(np.float32)
    constants = [numpy_helper.from_array(array, name) for name, array in (
        ("scale", np.float32(0.05)), ("zero", np.int8(0)), ("axis", np.array([1], np.int64)), ("weights", weights))]
    nodes = [
        helper.make_node("DequantizeLinear", ["mfcc", "scale", "zero"], ["real"]),
        helper.make_node("ReduceMean", ["real", "axis"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["vector"]),
        *(helper.make_node("QuantizeLinear", ["vector", "scale", "zero"], [view]) for view in SPACES),
    ]
    taken = [helper.make_tensor_value_info("mfcc", TensorProto.INT8, [1, 300, 20])]
    given = [helper.make_tensor_value_info(view, TensorProto.INT8, [1, 64]) for view in SPACES]
    graph = helper.make_graph(nodes, "tiny", taken, given, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    grids = {"inputs": {"mfcc": input_grid}, "outputs": dict.fromkeys(SPACES, output_grid)}
    helper.set_model_props(model, {METADATA_KEY: json.dumps(grids)})
    return model


def _write_catalog(folder: Path, sounds: list[np.ndarray]) -> None:
    model = open_bundle(folder / "bundle").model("audio")
    with open_engine("onnx", model.file("onnx")) as engine:
        heard = [AudioEncoder(model, engine, hop_s=1.0).push(sound) for sound in sounds]
    audio = np.stack([np.mean([window.vectors["audio"] for window in windows], axis=0) for windows in heard])
    recording = np.stack([window.vectors["recording"] for windows in heard for window in windows])
    rows = np.repeat(np.arange(len(sounds)), [len(windows) for windows in heard])
    items = [Item(row, item, "track", title, artist=f"{title} Ensemble", genre="test", duration_s=TUNE_S)
             for row, (item, title) in enumerate(zip(IDS, TUNES, strict=True))]
    views = {"audio": ViewData(SPACES["audio"], audio, np.arange(len(sounds))),
             "recording": ViewData(SPACES["recording"], recording, rows, windows=True)}
    write_snapshot(folder / "catalog", items, views, name="tiny", version="1")
