"""Speech, music, other: the chains that are listened to, and how the answers are counted."""

import numpy as np
import pytest
import soundfile
import torch

from export.frontend import mfcc_constants
from export.training.augment import Augmenter, RoomBank
from export.training.bank import SoundBank
from export.training.evaluate_kinds import balanced_accuracy, evaluate_kinds
from export.training.frontend import BatchFrontEnd, Standard
from export.training.kinds import CHAIN_RMS, levelled, noises, syllables


class Loudest(torch.nn.Module):
    """Takes a window for kind 0, 1 or 2 by the mean of its first coefficient's slope: here, by what the test put in."""

    def forward(self, mfcc):
        swing = mfcc[:, :, 0].std(dim=1)
        kind = torch.bucketize(swing, torch.tensor([0.3, 1.5]))
        return None, None, None, torch.nn.functional.one_hot(kind, 3).float()


def test_balanced_accuracy_by_hand():
    assert balanced_accuracy(np.array([[8, 2, 0], [0, 50, 50], [0, 0, 1]])) == pytest.approx((0.8 + 0.5 + 1) / 3)


def test_every_window_is_counted_where_it_belongs():
    rng = np.random.default_rng(0)
    steady = rng.normal(0, 3_000, 160_000)
    time = np.arange(160_000)
    envelopes = 1, 1 + 0.8 * np.sin(time / 2_000), time % 8_000 < 800
    banks = [SoundBank([(steady * envelope).astype(np.int16)]) for envelope in envelopes]
    plain = Standard(np.zeros(20, np.float32), np.ones(20, np.float32))
    augment = Augmenter(RoomBank(2, 0), np.empty(0, np.int16))
    figures = evaluate_kinds(Loudest(), banks, BatchFrontEnd(mfcc_constants()), plain, augment, windows=6)
    assert figures.confusion["16 kHz"] == [[6, 0, 0], [0, 6, 0], [0, 0, 6]]
    assert figures.balanced_accuracy["16 kHz"] == 1.0
    assert all(sum(row) == 6 for table in figures.confusion.values() for row in table)


def test_clips_are_brought_to_one_level_and_silence_is_left_out(tmp_path):
    sound = np.random.default_rng(0).normal(0, 0.01, 16_000)
    soundfile.write(tmp_path / "quiet.wav", sound, 16_000)
    soundfile.write(tmp_path / "silent.wav", np.zeros(16_000), 16_000)
    (tmp_path / "broken.wav").write_bytes(b"RIFFnot at all")
    quiet = levelled(tmp_path / "quiet.wav").astype(float)
    assert np.sqrt(np.mean(np.square(quiet))) == pytest.approx(CHAIN_RMS, rel=0.02)
    assert levelled(tmp_path / "silent.wav") is None
    assert levelled(tmp_path / "broken.wav") is None


def test_noises_go_from_white_to_brown_and_hum():
    white, *_, brown, hum, _ = noises(0)
    power = [np.abs(np.fft.rfft(sound)) ** 2 for sound in (white, brown, hum)]
    hz = np.fft.rfftfreq(len(white), 1 / 16_000)

    def octave_db(spectrum):
        low, high = (spectrum[(hz >= f) & (hz < 2 * f)].mean() for f in (500, 4_000))
        return 10 * np.log10(high / low) / 3

    assert octave_db(power[0]) == pytest.approx(0, abs=0.3)
    assert octave_db(power[1]) == pytest.approx(-6, abs=0.3)
    assert hz[power[2].argmax()] == pytest.approx(50, abs=0.1)


def test_syllables_are_pieces_of_the_speech_between_silences():
    rate_hz = 16_000
    speech = (3_000 * np.sqrt(2) * np.sin(np.arange(60 * rate_hz) * 2 * np.pi * 300 / rate_hz)).astype(np.int16)
    speech[20 * rate_hz : 40 * rate_hz] = 0
    said = syllables(speech, seed=1)
    np.testing.assert_array_equal(said, syllables(speech, seed=1))
    loud = np.convolve(np.abs(said) > 500, np.ones(60), "same") > 0  # zero crossings are no pauses
    begins, ends = (np.flatnonzero(np.diff(np.concatenate([[0], loud, [0]]).astype(int)) == step) for step in (1, -1))
    assert 40 <= len(begins) <= 100
    lengths_s, gaps_s = (ends - begins) / rate_hz, (begins[1:] - ends[:-1]) / rate_hz
    assert lengths_s.min() > 0.18
    assert lengths_s.max() < 0.62
    assert gaps_s.min() > 0.03
    assert gaps_s.max() < 0.41
    assert len(syllables(np.zeros(60 * rate_hz, np.int16), seed=1)) == 0
