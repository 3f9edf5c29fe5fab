"""The encoder on a small real int8 model, in both formats, whose window is 6 frames of 4 coefficients (75 ms)."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.audio.encoder import AudioEncoder
from edge.audio.level import normalise_level
from edge.bundle import Model, Output
from edge.engine.open import open_engine
from edge.engine.quantization import dequantize, quantize
from edge.errors import BundleError
from export.frontend import MfccDefinition, batch_mfcc, write_audio_frontend

MODELS = Path(__file__).resolve().parents[2] / "data" / "engine"
DEFINITION = MfccDefinition(filters=12, coefficients=4)
MEAN, STD = np.float32([-1, 5, -3, 2]), np.float32([2, 9, 8, 7])
FRAMES, WINDOW_SAMPLES = 6, 400 + 5 * 160
RUNTIMES = {"litert": "ai_edge_litert", "onnx": "onnxruntime"}


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    return Model(
        kind="audio",
        files={"litert": MODELS / "heads.tflite", "onnx": MODELS / "heads.onnx"},
        input_shape=(1, FRAMES, 4),
        outputs=(Output("audio", 5, "a"), Output("recording", 3, "r")),
        frontend=write_audio_frontend(folder, mean=MEAN, std=STD, definition=DEFINITION),
        parity={},
        folder=folder,
    )


@pytest.fixture(scope="session", params=[
    name for name, package in RUNTIMES.items() if importlib.util.find_spec(package)
])
def engine(request, model):
    with open_engine(request.param, model.file(request.param)) as engine:
        yield engine


@pytest.fixture(scope="session")
def sound(melody):
    """Without the digital silence in the melody's middle."""
    return melody[:19000]


def expected_vectors(engine, mfcc):
    """One window [shape=(6, 4)] through the definition, step by step."""
    window = (normalise_level(mfcc.copy()) - MEAN) / STD
    stored = engine.run(quantize(window[np.newaxis].astype(np.float32), engine.input))
    reals = [dequantize(values, spec)[0] for values, spec in zip(stored, engine.outputs, strict=True)]
    return [real / np.linalg.norm(real) for real in reals]


def assert_encodes(embedding, engine, mfcc):
    # A value that lies between two int8 steps may round either way: one step of the input, no more.
    for vector, expected in zip(embedding.vectors.values(), expected_vectors(engine, mfcc), strict=True):
        assert vector.dtype == np.float32
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
        assert vector @ expected > 0.99


def encode_all(encoder, samples, *sizes):
    embeddings, start, queue = [], 0, list(sizes)
    while start < len(samples):
        size = queue.pop(0) if len(queue) > 1 else queue[0]
        embeddings += encoder.push(samples[start : start + size])
        start += size
    return embeddings + encoder.flush()


@pytest.mark.parametrize("hop_frames", [1, 4, 6, 10])
def test_a_window_every_hop(model, engine, sound, hop_frames):
    embeddings = encode_all(AudioEncoder(model, engine, hop_s=hop_frames * 0.01), sound, 1280)
    mfcc = batch_mfcc(sound, DEFINITION)
    starts = range(0, len(mfcc) - FRAMES + 1, hop_frames)
    assert [embedding.start_s for embedding in embeddings] == pytest.approx([start * 0.01 for start in starts])
    for start, embedding in zip(starts, embeddings, strict=True):
        assert embedding.modality == "audio"
        assert embedding.end_s == pytest.approx(min(start * 0.01 + WINDOW_SAMPLES / 16000, len(sound) / 16000))
        assert list(embedding.vectors) == ["audio", "recording"]
        assert_encodes(embedding, engine, mfcc[start : start + FRAMES])


@given(sizes=st.lists(st.integers(0, 4000), max_size=8), last=st.integers(1, 4000), hop_frames=st.integers(1, 15))
@settings(max_examples=30, deadline=None)
def test_cutting_changes_nothing(model, engine, sound, sizes, last, hop_frames):
    encoder = AudioEncoder(model, engine, hop_s=hop_frames * 0.01)
    found = encode_all(encoder, sound, *sizes, last)
    expected = encode_all(encoder, sound, len(sound))
    assert [embedding.start_s for embedding in found] == [embedding.start_s for embedding in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.vectors["audio"] @ other.vectors["audio"] > 0.99


def test_a_gain_changes_nothing(model, engine, sound):
    encoder = AudioEncoder(model, engine, hop_s=0.06)
    loud = encode_all(encoder, sound, 1280)
    quiet = encode_all(encoder, (sound // 8).astype(np.int16), 1280)
    cosines = [one.vectors["audio"] @ other.vectors["audio"] for one, other in zip(loud, quiet, strict=True)]
    assert np.median(cosines) > 0.99


@pytest.mark.parametrize("samples", [1, 300, 500, 1199])
def test_a_short_sound_is_repeated_until_it_fills_a_window(model, engine, sound, samples):
    encoder = AudioEncoder(model, engine, hop_s=0.06)
    short = sound[100 : 100 + samples]
    assert encoder.push(short) == []
    (embedding,) = encoder.flush()
    mfcc = batch_mfcc(short, DEFINITION)
    assert_encodes(embedding, engine, np.tile(mfcc, (FRAMES, 1))[:FRAMES])
    assert (embedding.start_s, embedding.end_s) == (0.0, samples / 16000)


def test_no_sound_no_embedding(model, engine):
    encoder = AudioEncoder(model, engine, hop_s=0.06)
    assert encoder.flush() == []


def test_flush_and_reset_start_anew(model, engine, sound):
    encoder = AudioEncoder(model, engine, hop_s=0.06)
    first = encode_all(encoder, sound, 1000)
    encoder.push(sound[:777])
    encoder.reset()
    again = encode_all(encoder, sound, 1000)
    assert [embedding.start_s for embedding in first] == [embedding.start_s for embedding in again]
    np.testing.assert_array_equal(first[3].vectors["audio"], again[3].vectors["audio"])


@pytest.mark.parametrize("quiet", [
    np.zeros(16000, np.int16),
    np.full(16000, 60, np.int16),
    np.random.default_rng(0).integers(-1, 2, 16000).astype(np.int16),
], ids=["digital silence", "a small offset", "the last bit"])
def test_silence_is_not_encoded(model, engine, sound, quiet):
    encoder = AudioEncoder(model, engine, hop_s=0.06)
    after_its_onset = encode_all(encoder, np.concatenate([quiet, sound]), 1280)
    assert all(embedding.end_s > 0.95 for embedding in after_its_onset[1:])
    assert encoder.silent_windows >= 15
    assert len(after_its_onset) >= 15


def test_quiet_sound_is_encoded(model, engine):
    """Noise at -70 dBFS, a quiet room."""
    room = np.round(10.4 * np.random.default_rng(0).standard_normal(16000)).astype(np.int16)
    encoder = AudioEncoder(model, engine, hop_s=0.06)
    assert len(encode_all(encoder, room, 1280)) == 16
    assert encoder.silent_windows == 0


def test_results_stay_valid(model, engine, sound):
    encoder = AudioEncoder(model, engine, hop_s=0.06)
    (first,) = encoder.push(sound[:WINDOW_SAMPLES])
    kept = first.vectors["audio"].copy()
    encoder.push(sound[WINDOW_SAMPLES:])
    np.testing.assert_array_equal(first.vectors["audio"], kept)


@pytest.mark.parametrize("exclusive", [True, False])
def test_a_classifier_says_how_probable_its_labels_are(model, engine, sound, exclusive):
    """Softmax of the logits where one label holds, else the logistic function of each."""
    output = Output("kind", 3, "r", labels=("speech", "music", "other"), exclusive=exclusive)
    classifying = replace(model, outputs=(model.outputs[0], output))
    (embedding,) = AudioEncoder(classifying, engine, hop_s=1.0).push(sound[:WINDOW_SAMPLES])
    (plain,) = AudioEncoder(model, engine, hop_s=1.0).push(sound[:WINDOW_SAMPLES])
    assert list(embedding.vectors) == ["audio"]
    np.testing.assert_array_equal(embedding.vectors["audio"], plain.vectors["audio"])
    logits = dequantize(engine.run(_input_of(model, engine, sound))[1], engine.outputs[1])[0].astype(float)
    expected = np.exp(logits) / np.exp(logits).sum() if exclusive else 1 / (1 + np.exp(-logits))
    assert list(embedding.classes["kind"]) == ["speech", "music", "other"]
    np.testing.assert_allclose(list(embedding.classes["kind"].values()), expected, atol=0.02)


def _input_of(model, engine, sound):
    mfcc = batch_mfcc(sound[:WINDOW_SAMPLES], DEFINITION)[:FRAMES]
    window = (normalise_level(mfcc.astype(np.float64)) - MEAN) / STD
    return quantize(window[np.newaxis].astype(np.float32), engine.input)


@pytest.mark.parametrize(("changes", "said"), [
    ({"input_shape": (1, 7, 4)}, "takes"),
    ({"input_shape": (1, 4, 6)}, "takes"),
    ({"outputs": (Output("audio", 5, "a"),)}, "gives"),
    ({"outputs": (Output("audio", 3, "a"), Output("recording", 5, "r"))}, "gives"),
    ({"frontend": {}}, "constants"),
])
def test_parts_that_do_not_fit_are_refused(model, engine, changes, said):
    with pytest.raises(BundleError, match=said):
        AudioEncoder(replace(model, **changes), engine, hop_s=1.0)
