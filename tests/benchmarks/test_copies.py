"""Every encoding comes back as the sound that it was, and the thresholds follow from the pairs."""

import numpy as np
import pytest

from benchmarks.copies import ENCODINGS, Pairs, _encoded, choose

RATE_HZ = 16_000


@pytest.mark.parametrize("name", ENCODINGS)
def test_an_encoding_is_shifted_as_it_says(name, tmp_path):
    *_, cut, gain = ENCODINGS[name]
    sound = np.zeros(3 * RATE_HZ, np.int16)
    sound[2 * RATE_HZ :] = (8_000 * np.sin(np.arange(RATE_HZ) * 2 * np.pi * 440 / RATE_HZ)).astype(np.int16)
    heard = _encoded(sound, name, tmp_path).astype(float)
    begins = np.flatnonzero(np.abs(heard) > 1_000)[0]
    assert begins == pytest.approx(2 * RATE_HZ - cut, abs=0.08 * RATE_HZ)
    assert np.abs(heard).max() == pytest.approx(8_000 * gain, rel=0.25)


def test_thresholds_by_hand():
    copies = {"one": Pairs([0.96, 0.95], [0.99, 0.98]), "other": Pairs([0.9], [0.995])}
    chosen = choose(copies, Pairs([0.1, 0.4], [0.2, 0.5]))
    assert (chosen["least_agreement"], chosen["least_centre"]) == (0.85, 0.96)
    assert (chosen["pairs"], chosen["others_most"]) == (3, 0.4)
