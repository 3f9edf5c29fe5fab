"""The streaming MFCC against its definition written out in numpy, for environments that have nothing else."""

import numpy as np
import pytest

from edge.audio.constants import MfccConstants
from edge.audio.mfcc import StreamingMfcc


@pytest.fixture(scope="module")
def constants():
    random = np.random.default_rng(5)
    return MfccConstants(
        sample_rate_hz=16000, window_samples=400, hop_samples=160, fft_size=512, preemphasis=0.97,
        window=np.hamming(400),
        filterbank=random.uniform(0, 1, (40, 257)).astype(np.float32),
        basis=random.normal(0, 1, (40, 20)).astype(np.float32),
    )


def written_out(samples, c):
    emphasised = np.append(samples[0], samples[1:] - c.preemphasis * samples[:-1])
    frames = []
    for start in range(0, max(len(samples) - 240, 1), 160):
        frame = np.zeros(400)
        piece = emphasised[start : start + 400]
        frame[: len(piece)] = piece
        power = np.abs(np.fft.rfft(frame * c.window, 512)) ** 2 / 512
        cepstrum = np.log(c.filterbank.astype(float) @ power) @ c.basis.astype(float)
        cepstrum[0] = np.log(power.sum())
        frames.append(cepstrum)
    return np.array(frames)


@pytest.mark.parametrize("length", [100, 400, 401, 560, 5000])
@pytest.mark.parametrize("block", [1, 160, 1280, 5000])
def test_streaming_equals_the_definition(constants, length, block):
    samples = np.random.default_rng(6).integers(-20000, 20000, length).astype(np.int16)
    mfcc = StreamingMfcc(constants)
    frames = [mfcc.push(samples[start : start + block]).copy() for start in range(0, length, block)]
    found = np.concatenate([*frames, mfcc.flush()])
    np.testing.assert_allclose(found, written_out(samples, constants), atol=1e-4)
