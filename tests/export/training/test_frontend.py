"""The batch front end against python_speech_features, and its deafness to level."""

import numpy as np
import pytest
import torch

from export.frontend import batch_mfcc, mfcc_constants
from export.training.frontend import WINDOW_SAMPLES, BatchFrontEnd, Standard


@pytest.fixture(scope="module")
def front_end():
    return BatchFrontEnd(mfcc_constants())


@pytest.fixture(scope="module")
def windows():
    rng = np.random.default_rng(0)
    swell = np.sin(np.linspace(0, 40, WINDOW_SAMPLES)) * 3_000
    return np.stack([rng.normal(0, 2_000, WINDOW_SAMPLES), swell + rng.normal(0, 30, WINDOW_SAMPLES)]).astype(np.int16)


def test_it_is_python_speech_features_with_the_level_taken_out(front_end, windows):
    got = front_end.mfcc(torch.from_numpy(windows.astype(np.float32))).numpy()
    assert got.shape == (2, 300, 20)
    for window, mine in zip(windows, got, strict=True):
        oracle = batch_mfcc(window)
        oracle[:, 0] -= np.log(np.mean(np.exp(oracle[:, 0])))
        np.testing.assert_allclose(mine, oracle, atol=2e-3)


def test_gain_changes_nothing(front_end, windows):
    sound = torch.from_numpy(windows.astype(np.float32))
    torch.testing.assert_close(front_end.mfcc(sound), front_end.mfcc(sound * 0.01), atol=2e-3, rtol=0)


def test_silence_is_finite(front_end):
    assert front_end.mfcc(torch.zeros(1, WINDOW_SAMPLES)).isfinite().all()


def test_standardised_by_hand(front_end, windows):
    sound = torch.from_numpy(windows.astype(np.float32))
    standard = Standard(np.full(20, 2, np.float32), np.full(20, 4, np.float32))
    torch.testing.assert_close(front_end.standardised(sound, standard), (front_end.mfcc(sound) - 2) / 4)
