"""Augmentation does what its numbers say."""

import numpy as np
import pytest
import torch

from export.training.augment import LEAD_SAMPLES, SPAN_SAMPLES, Augmenter, RoomBank, Strength, scaled_to_ratio
from export.training.frontend import WINDOW_SAMPLES

OFF = Strength(room=0, loudspeaker=0, band=0, noise=0, voice=0, level_db=(-6, -6))


@pytest.fixture(scope="module")
def augment():
    voices = np.random.default_rng(1).normal(0, 3_000, 200_000).astype(np.int16)
    return Augmenter(RoomBank(4, 0), voices)


@pytest.fixture(scope="module")
def spans():
    return np.random.default_rng(0).normal(0, 3_000, (3, SPAN_SAMPLES)).astype(np.float32)


def _spectrum(sound):
    return np.abs(np.fft.rfft(sound, axis=-1))


def test_nothing_switched_on_changes_the_level_alone(augment, spans):
    heard = augment(torch.from_numpy(spans), OFF, np.random.default_rng(0)).numpy()
    assert heard.shape == (3, WINDOW_SAMPLES)
    assert np.abs(heard).max(axis=1) == pytest.approx(32_767 / 10**0.3, abs=1)
    for got, given in zip(heard, spans[:, LEAD_SAMPLES:], strict=True):
        assert np.corrcoef(got, given)[0, 1] > 0.999999


def test_noise_stands_at_the_ratio(augment):
    time = np.arange(SPAN_SAMPLES) / 16_000
    tone = np.round(8_000 * np.sin(2 * np.pi * 1_000 * time))[None]
    noisy = Strength(room=0, loudspeaker=0, band=0, noise=1, noise_db=(10, 10), voice=0)
    heard = augment(torch.from_numpy(tone.astype(np.float32)), noisy, np.random.default_rng(0)).numpy()[0]
    spectrum = _spectrum(heard) ** 2
    tone_bin = round(1_000 * WINDOW_SAMPLES / 16_000)
    own = spectrum[tone_bin - 3 : tone_bin + 4].sum()
    assert 10 * np.log10(own / (spectrum.sum() - own)) == pytest.approx(10, abs=1.5)


def test_scaled_to_ratio_by_hand():
    scaled = scaled_to_ratio(torch.full((1, 4), 5.0), torch.full((1, 4), 100.0), torch.tensor([20.0]))
    torch.testing.assert_close(scaled, torch.full((1, 4), 10.0))


def test_a_band_limit_takes_the_highs(augment, spans):
    narrow = Strength(room=0, loudspeaker=0, band=1, high_pass_hz=(100, 100), low_pass_hz=(3_000, 3_000), noise=0,
                      voice=0)
    spectrum = _spectrum(augment(torch.from_numpy(spans), narrow, np.random.default_rng(0)).numpy()).mean(axis=0)
    third = len(spectrum) // 8
    assert spectrum[7 * third :].mean() < 0.3 * spectrum[third : 2 * third].mean()


def test_the_same_seed_gives_the_same_sound(augment, spans):
    one, two = (augment(torch.from_numpy(spans), Strength(), np.random.default_rng(5)) for _ in range(2))
    assert torch.equal(one, two)
    assert one.isfinite().all()
    assert not torch.equal(one, augment(torch.from_numpy(spans), Strength(), np.random.default_rng(6)))


def test_a_room_reaches_in_from_before_the_window(augment):
    """A click in the lead-in, a tenth of a second before the window, is still heard."""
    click = np.zeros((1, SPAN_SAMPLES), np.int16)
    click[0, LEAD_SAMPLES - 1_600] = 30_000
    room = Strength(room=1, loudspeaker=0, band=0, noise=0, voice=0, level_db=(0, 0))
    heard = augment(torch.from_numpy(click.astype(np.float32)), room, np.random.default_rng(0)).numpy()[0]
    assert np.abs(heard[:3_000]).max() > 10 * np.abs(heard[-3_000:]).max()


def test_a_lower_rate_leaves_nothing_above_its_half(augment, spans):
    narrow = Strength(room=0, loudspeaker=0, band=0, noise=0, voice=0, rate=1, rate_low_pass_hz=(4_000, 4_000),
                      level_db=(0, 0))
    heard = augment(torch.from_numpy(spans), narrow, np.random.default_rng(0)).numpy()
    spectrum = _spectrum(heard * np.hanning(WINDOW_SAMPLES)) ** 2
    bins_per_hz = WINDOW_SAMPLES / 16_000
    below = spectrum[:, round(1_000 * bins_per_hz) : round(3_500 * bins_per_hz)].mean()
    above = spectrum[:, round(6_500 * bins_per_hz) : round(7_500 * bins_per_hz)].mean()
    assert above < 1e-5 * below


def test_only_the_share_that_is_asked_for_is_changed(augment, spans):
    many = torch.from_numpy(np.tile(spans[:1], (60, 1)))
    noisy = Strength(room=0, loudspeaker=0, band=0, noise=0.5, noise_db=(0, 0), voice=0, level_db=(-6, -6))
    heard = augment(many, noisy, np.random.default_rng(0)).numpy()
    alike = [np.corrcoef(row, spans[0, LEAD_SAMPLES:])[0, 1] > 0.999 for row in heard]
    assert 15 <= sum(alike) <= 45
