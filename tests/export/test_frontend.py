import time

import numpy as np
import pytest
import python_speech_features

from edge.audio.constants import load_constants, load_standardisation
from edge.errors import ExportError
from export.frontend import MfccDefinition, batch_mfcc, image_frontend, mfcc_constants, write_audio_frontend

MEAN, STD = np.linspace(-3, 3, 20), np.linspace(1, 4, 20)


def test_constants_are_those_of_python_speech_features():
    constants = mfcc_constants()
    filters = python_speech_features.get_filterbanks(40, 512, 16000, 0, 8000)
    np.testing.assert_array_equal(constants.filterbank, filters.astype(np.float32))
    np.testing.assert_array_equal(constants.window, np.hamming(400))
    assert (constants.window_samples, constants.hop_samples, constants.coefficients) == (400, 160, 20)


def test_basis_is_an_orthonormal_dct_times_the_lifter():
    basis = mfcc_constants().basis.astype(np.float64)
    lifter = 1 + 11 * np.sin(np.pi * np.arange(20) / 22)
    np.testing.assert_allclose((basis / lifter).T @ (basis / lifter), np.eye(20), atol=1e-6)
    np.testing.assert_allclose(basis[:, 0], np.sqrt(1 / 40), atol=1e-7)
    np.testing.assert_allclose(basis[0, 1], np.sqrt(2 / 40) * np.cos(np.pi / 80) * lifter[1], atol=1e-6)


def test_batch_mfcc_has_the_log_energy_in_column_0():
    samples = np.random.default_rng(0).integers(-9000, 9000, 400).astype(np.int16)
    emphasised = np.append(samples[0], samples[1:] - 0.97 * samples[:-1]) * np.hamming(400)
    energy = (np.abs(np.fft.rfft(emphasised, 512)) ** 2 / 512).sum()
    assert batch_mfcc(samples)[0, 0] == pytest.approx(np.log(energy))


def test_what_is_written_is_what_the_device_reads(tmp_path):
    frontend = write_audio_frontend(tmp_path, mean=MEAN, std=STD)
    path = tmp_path / frontend["constants"]
    loaded, computed = load_constants(path, frontend), mfcc_constants()
    for name in ("window", "filterbank", "basis"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(computed, name))
    assert loaded.hop_s == 0.01
    assert frontend["level_normalised"] is True
    np.testing.assert_array_equal(load_standardisation(path, frontend).std, STD.astype(np.float32))
    np.testing.assert_array_equal(np.load(path)["mean"], MEAN.astype(np.float32))


def test_same_numbers_give_same_bytes(tmp_path, monkeypatch):
    folders = tmp_path / "a", tmp_path / "b"
    for folder in folders:
        folder.mkdir()
        write_audio_frontend(folder, mean=MEAN, std=STD)
        monkeypatch.setattr(time, "time", lambda: 1e9)
    first, second = [(folder / "audio_frontend.npz").read_bytes() for folder in folders]
    assert first == second


def test_another_definition():
    wide = MfccDefinition(sample_rate_hz=8000, high_hz=4000, filters=24, coefficients=13)
    constants = mfcc_constants(wide)
    assert constants.filterbank.shape == (24, 257)
    assert constants.basis.shape == (24, 13)
    assert constants.window_samples == 200


@pytest.mark.parametrize(("mean", "std"), [
    (MEAN[:19], STD), (MEAN, np.full(20, np.nan)), (MEAN, np.zeros(20)),
])
def test_impossible_standardisation_is_refused(tmp_path, mean, std):
    with pytest.raises(ExportError, match="front end's"):
        write_audio_frontend(tmp_path, mean=mean, std=std)


def test_image_frontend():
    assert image_frontend() == {"kind": "image", "mean": [127, 127, 127], "std": [128, 128, 128]}
    with pytest.raises(ExportError, match="above zero"):
        image_frontend(std=(1, 0, 1))
