import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import edge
from edge.audio import mfcc as mfcc_module
from edge.audio.mfcc import StreamingMfcc
from edge.audio.source import open_audio
from edge.errors import ShapeError
from export.frontend import batch_mfcc

CLIPS = Path(edge.__file__).parent / "assets" / "clips"


def stream(mfcc, samples, *sizes):
    """All frames of a signal that is pushed in blocks of the given sizes, the last size repeated."""
    frames, start, queue = [], 0, list(sizes)
    while start < len(samples):
        size = queue.pop(0) if len(queue) > 1 else queue[0]
        frames.append(mfcc.push(samples[start : start + size]).copy())
        start += size
    frames.append(mfcc.flush().copy())
    return np.concatenate(frames)


@given(
    length=st.integers(1, 9000),
    offset=st.integers(0, 39000),
    sizes=st.lists(st.integers(0, 3000), max_size=12),
    last_size=st.integers(1, 5000),
)
@settings(max_examples=80, deadline=None)
def test_any_cutting_equals_python_speech_features(constants, melody, length, offset, sizes, last_size):
    samples = melody[offset : offset + length]
    mfcc = StreamingMfcc(constants, max_block_samples=1280)
    found = stream(mfcc, samples, *sizes, last_size)
    expected = batch_mfcc(samples)
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=0)
    np.testing.assert_allclose(found, stream(mfcc, samples, len(samples)), atol=5e-5, rtol=0)


@pytest.mark.parametrize("samples", [
    np.random.default_rng(1).integers(-32768, 32768, 16000).astype(np.int16),
    np.round(32767 * np.sin(2 * np.pi * 440 / 16000 * np.arange(16000))).astype(np.int16),
    np.full(4000, -32768, np.int16),
    np.zeros(4000, np.int16),
    np.eye(1, 4000, 2000, dtype=np.int16)[0],
], ids=["full-scale noise", "full-scale sine", "constant", "digital silence", "one sample of 1"])
def test_extreme_signals(constants, samples):
    found = stream(StreamingMfcc(constants), samples, 1280)
    np.testing.assert_allclose(found, batch_mfcc(samples), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", ["in-the-catalogue.ogg", "not-in-the-catalogue.ogg", "big-buck-bunny.mp4"])
def test_real_sound(constants, name):
    with open_audio(str(CLIPS / name), block_ms=1000) as source:
        samples = np.concatenate([block.samples for block in iter(source.read, None)])[: 10 * 16000]
    expected = batch_mfcc(samples)
    frames = [stream(StreamingMfcc(constants), samples, block_samples) for block_samples in (1280, 160, 7777)]
    for one in frames:
        np.testing.assert_allclose(one, expected, atol=1e-4, rtol=0)
        np.testing.assert_allclose(one, frames[0], atol=5e-5, rtol=0)


@pytest.mark.parametrize("length", [1, 399, 400, 401, 559, 560, 561, 720])
def test_number_of_frames_at_the_edges(constants, melody, length):
    assert len(stream(StreamingMfcc(constants), melody[:length], 100)) == len(batch_mfcc(melody[:length]))


def test_a_frame_comes_as_soon_as_its_last_sample(constants, melody):
    mfcc = StreamingMfcc(constants)
    assert len(mfcc.push(melody[:399])) == 0
    assert len(mfcc.push(melody[399:400])) == 1
    assert len(mfcc.push(melody[400:559])) == 0
    assert len(mfcc.push(melody[559:560])) == 1


def test_nothing_in_nothing_out(constants):
    mfcc = StreamingMfcc(constants)
    assert mfcc.push(np.zeros(0, np.int16)).shape == (0, 20)
    assert mfcc.flush().shape == (0, 20)


def test_flush_and_reset_start_a_new_signal(constants, melody):
    mfcc = StreamingMfcc(constants)
    expected = stream(mfcc, melody[:5000], 700)
    np.testing.assert_array_equal(stream(mfcc, melody[:5000], 700), expected)
    mfcc.push(melody[9000:9999])
    mfcc.reset()
    np.testing.assert_array_equal(stream(mfcc, melody[:5000], 700), expected)


def test_the_samples_are_left_as_they_were(constants, melody):
    samples = melody[:5000].copy()
    stream(StreamingMfcc(constants), samples, 700)
    np.testing.assert_array_equal(samples, melody[:5000])


@pytest.mark.parametrize("block", [np.zeros(10), np.zeros(10, np.float32), np.zeros((10, 1), np.int16)])
def test_other_arrays_are_refused(constants, block):
    with pytest.raises(ShapeError, match="int16 samples of shape"):
        StreamingMfcc(constants).push(block)


def test_steady_state_keeps_nothing(constants, melody):
    mfcc = StreamingMfcc(constants, max_block_samples=1280)
    blocks = [melody[start : start + 1280] for start in range(0, 46080, 1280)]

    def play_ten_minutes_of_blocks():
        for _ in range(200):
            for block in blocks:
                mfcc.push(block)

    for block in blocks:
        mfcc.push(block)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        play_ten_minutes_of_blocks()
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 8 * 1024
    assert peak - before < 512 * 1024, "numpy's own buffers within one call"


def test_numpy_1_has_no_rfft_into_a_buffer(constants, melody, monkeypatch):
    expected = stream(StreamingMfcc(constants), melody, 1280)
    monkeypatch.setattr(mfcc_module.np, "__version__", "1.26.4")
    np.testing.assert_array_equal(stream(StreamingMfcc(constants), melody, 1280), expected)
