"""The bundle that Roomtone comes with, on the clips that it comes with: real models, real music, both runtimes."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import edge
from edge.audio.encoder import AudioEncoder
from edge.audio.source import open_audio
from edge.bundle import open_bundle
from edge.engine.open import open_engine

CLIPS = Path(edge.__file__).parent / "assets" / "clips"
RUNTIMES = {"litert": "ai_edge_litert", "onnx": "onnxruntime"}


def understand(runtime, name, *, block_ms=80, seconds=9.0):
    model, clip = open_bundle().model("audio"), str(CLIPS / name)
    with open_engine(runtime, model.file(runtime)) as engine, open_audio(clip, block_ms=block_ms) as source:
        encoder = AudioEncoder(model, engine, hop_s=1.0)
        embeddings = []
        while (block := source.read()) is not None and block.start_s < seconds:
            embeddings += encoder.push(block.samples)
        return embeddings


def stacked(embeddings, view):
    return np.stack([embedding.vectors[view] for embedding in embeddings])


@pytest.fixture(scope="module")
def heard():
    for package in RUNTIMES.values():
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    return {runtime: understand(runtime, "in-the-catalogue.ogg") for runtime in RUNTIMES}


def test_three_seconds_every_second(heard):
    starts_s = [embedding.start_s for embedding in heard["litert"]]
    assert starts_s == pytest.approx(range(len(starts_s)))
    assert len(starts_s) >= 6
    assert all(embedding.end_s - embedding.start_s == pytest.approx(3.015) for embedding in heard["litert"])


@pytest.mark.parametrize("view", ["audio", "recording"])
def test_runtimes_agree(heard, view):
    cosines = (stacked(heard["litert"], view) * stacked(heard["onnx"], view)).sum(axis=1)
    assert cosines.min() > 0.97


@pytest.mark.parametrize("view", ["audio", "recording"])
def test_block_lengths_agree(heard, view):
    again = understand("litert", "in-the-catalogue.ogg", block_ms=333)
    cosines = (stacked(heard["litert"], view)[: len(again)] * stacked(again, view)[: len(heard["litert"])]).sum(axis=1)
    assert cosines.min() > 0.98


def test_recordings_differ(heard):
    other = stacked(understand("litert", "not-in-the-catalogue.ogg"), "recording")
    own = stacked(heard["litert"], "recording")
    assert (own @ own.T).mean() > (own @ other.T).mean() + 0.2
