"""The same passage in two tracks, at another place and level; and what only sounds alike."""

import numpy as np
import pytest

from export.training.passages import holds

N = 16_000


@pytest.fixture
def passage():
    return (np.random.default_rng(0).standard_normal(N) * 2_000).astype(np.int16)


def in_silence(passage, gain=1.0):
    sound = np.zeros(5 * N, np.int16)
    sound[2 * N : 3 * N] = np.rint(passage * gain)
    return sound


@pytest.mark.parametrize("gain", [1.0, 4.0, 0.15])
def test_a_passage_is_found_at_another_place_and_level(passage, gain):
    assert holds(in_silence(passage, gain), passage)


@pytest.mark.parametrize(("other", "held"), [(0.3, True), (0.6, False)])
def test_what_plays_with_it_may_be_6_db_quieter(passage, other, held):
    added = np.random.default_rng(1).standard_normal(5 * N) * 2_000 * other
    assert holds((in_silence(passage) + added).astype(np.int16), passage) is held


def test_other_sound_and_silence_hold_nothing(passage):
    stranger = (np.random.default_rng(2).standard_normal(5 * N) * 2_000).astype(np.int16)
    assert not holds(stranger, passage)
    assert not holds(np.zeros(5 * N, np.int16), passage)
    assert not holds(stranger, np.zeros(N, np.int16))
    assert not holds(passage[:-1], passage)
