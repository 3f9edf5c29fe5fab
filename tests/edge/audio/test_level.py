import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.audio.level import log_mean_energy, normalise_level
from export.frontend import batch_mfcc


def test_mean_energy_by_hand():
    window = np.zeros((2, 3))
    window[:, 0] = np.log([1.0, 3.0])
    assert log_mean_energy(window) == pytest.approx(np.log(2.0))
    np.testing.assert_allclose(np.exp(normalise_level(window)[:, 0]), [0.5, 1.5])


@given(gain=st.floats(0.05, 1.0))
@settings(max_examples=20, deadline=None)
def test_a_gain_changes_nothing(melody, gain):
    # Without the digital silence, whose energy is python_speech_features' floor at any gain.
    loud = melody[:20000].astype(np.float64)
    expected = normalise_level(batch_mfcc(loud))
    np.testing.assert_allclose(normalise_level(batch_mfcc(gain * loud)), expected, atol=1e-9)


def test_windows_are_normalised_each_on_its_own(melody):
    mfcc = batch_mfcc(melody[:20000])[:120]
    windows = np.stack([mfcc[:60], mfcc[60:]])
    expected = np.stack([normalise_level(mfcc[:60].copy()), normalise_level(mfcc[60:].copy())])
    np.testing.assert_array_equal(normalise_level(windows), expected)
