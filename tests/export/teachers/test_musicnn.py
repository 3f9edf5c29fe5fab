"""The port against the original's mathematics, written out again in numpy with TensorFlow's conventions."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from edge.errors import ExportError, ShapeError
from export.teachers import musicnn
from export.teachers.mel import filterbank, hz_of_mel, log_mel, mel_of_hz
from export.teachers.tf_checkpoint import read_variables

_spec = importlib.util.spec_from_file_location("musicnn_checkpoints", Path(__file__).with_name("checkpoints.py"))
checkpoints = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checkpoints)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("musicnn")
    found = checkpoints.variables(np.random.default_rng(0))
    checkpoints.write(folder, found)
    return folder, found


def test_every_variable_is_read_back(checkpoint):
    folder, found = checkpoint
    read = read_variables(folder)
    assert read.keys() == found.keys()
    assert all(np.array_equal(read[name], found[name]) for name in found)


@pytest.mark.parametrize("damage", [lambda raw: raw[:100], lambda raw: b"", lambda raw: raw[:-1] + b"\0",
                                    lambda raw: b"\xff" * 200 + raw])
def test_a_damaged_index_is_refused(checkpoint, tmp_path, damage):
    folder, _ = checkpoint
    (tmp_path / ".index").write_bytes(damage((folder / ".index").read_bytes()))
    (tmp_path / ".data-00000-of-00001").write_bytes((folder / ".data-00000-of-00001").read_bytes())
    with pytest.raises(ExportError, match="TensorFlow 1 checkpoint"):
        read_variables(tmp_path)


def test_a_cut_off_data_file_is_refused(checkpoint, tmp_path):
    folder, _ = checkpoint
    (tmp_path / ".index").write_bytes((folder / ".index").read_bytes())
    (tmp_path / ".data-00000-of-00001").write_bytes(b"\0" * 100)
    with pytest.raises(ExportError, match="cut off"):
        read_variables(tmp_path)


def test_the_network_computes_what_the_original_does(checkpoint, monkeypatch):
    folder, v = checkpoint
    small = musicnn.MusicnnNet
    monkeypatch.setattr(musicnn, "MusicnnNet", lambda: small(**checkpoints.SIZES))
    net = musicnn.load_net(folder)
    mels = np.random.default_rng(1).uniform(0, 4, (1, 40, 96)).astype(np.float32)
    with torch.no_grad():
        pools, tags = (part.numpy()[0] for part in net(torch.from_numpy(mels)))
    expected_pools, expected_tags = _reference(v, mels[0].astype(np.float64))
    np.testing.assert_allclose(pools, expected_pools, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(tags, expected_tags, rtol=1e-4, atol=1e-4)


def test_another_networks_checkpoint_is_refused(checkpoint):
    folder, _ = checkpoint
    with pytest.raises(ExportError, match="not a musicnn checkpoint"):
        musicnn.load_net(folder)


def _norm(v, number, x):
    """Over the last axis; TensorFlow's default epsilon."""
    name = f"batch_normalization_{number}" if number else "batch_normalization"
    scale = v[f"{name}/gamma"] / np.sqrt(v[f"{name}/moving_variance"] + 1e-3)
    return (x - v[f"{name}/moving_mean"]) * scale + v[f"{name}/beta"]


def _conv(v, number, x):
    """VALID convolution of (frames, mels) by (height, width, 1, out) -> (frames', mels', out), then ReLU."""
    name = f"conv2d_{number}" if number else "conv2d"
    kernel = v[f"{name}/kernel"][:, :, 0].astype(np.float64)
    patches = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2])
    return np.maximum(np.einsum("ijhw,hwo->ijo", patches, kernel) + v[f"{name}/bias"], 0)


def _padded(x, before, after):
    return np.pad(x, ((before, after), (0, 0)))


def _reference(v, mels):
    x = _norm(v, 0, mels[..., None])[..., 0]
    maps = [_norm(v, i + 1, _conv(v, i, _padded(x, 3, 3))).max(axis=1) for i in (0, 1)]
    for i, frames in ((2, 128), (3, 64), (4, 32)):
        maps.append(_norm(v, i + 1, _conv(v, i, _padded(x, (frames - 1) // 2, frames // 2))).max(axis=1))
    front = np.concatenate(maps, axis=1)
    first = _norm(v, 6, _conv(v, 5, _padded(front, 3, 3))[:, 0])
    second = _norm(v, 7, _conv(v, 6, _padded(first, 3, 3))[:, 0]) + first
    third = _norm(v, 8, _conv(v, 7, _padded(second, 3, 3))[:, 0]) + second
    joined = np.concatenate([front, first, second, third], axis=1)
    pools = np.stack([joined.max(axis=0), joined.mean(axis=0)], axis=1).ravel()
    dense = np.maximum(_norm(v, 9, pools) @ v["dense/kernel"] + v["dense/bias"], 0)
    return pools, _norm(v, 10, dense) @ v["dense_1/kernel"] + v["dense_1/bias"]


def test_mel_scale_by_hand():
    assert mel_of_hz(1000) == 15
    assert mel_of_hz(6400) == pytest.approx(42)
    np.testing.assert_allclose(hz_of_mel(np.array([0.0, 3.0, 15.0, 42.0])), [0, 200, 1000, 6400])


def test_filters_have_unit_area_and_leave_no_gap():
    bank = filterbank()
    assert bank.shape == (96, 257)
    wide = bank[60:].sum(axis=1) * (16_000 / 512)
    np.testing.assert_allclose(wide, 1, atol=0.02)
    assert (bank[:, 1:-1].sum(axis=0) > 0).all()


def test_log_mel_of_a_tone_by_hand():
    time = torch.arange(musicnn.Musicnn.window_samples) / 16_000
    spectrum = log_mel(0.1 * torch.sin(2 * torch.pi * 2_000 * time)[None], torch.from_numpy(filterbank()))
    assert spectrum.shape == (1, 187, 96)
    bank = filterbank()
    peak = (0.1 * 512 / 4) ** 2  # a Hann window halves the amplitude; its neighbours' bins hold half of that
    by_hand = np.log10(10_000 * (bank[:, 64] * peak + (bank[:, 63] + bank[:, 65]) * peak / 4) + 1)
    loudest = by_hand.argmax()
    assert int(spectrum[0, 90].argmax()) == loudest
    assert float(spectrum[0, 90, loudest]) == pytest.approx(by_hand[loudest], abs=1e-3)


def test_the_teacher_does_not_hear_the_level():
    torch.manual_seed(0)
    teacher = musicnn.Musicnn(musicnn.MusicnnNet(**checkpoints.SIZES).eval())
    sound = np.random.default_rng(2).normal(0, 0.01, (2, 48_240)).astype(np.float32)
    np.testing.assert_allclose(teacher.embed(sound), teacher.embed(sound * 20), rtol=1e-3, atol=1e-4)
    assert teacher.embed(sound).shape == (2, teacher.dimension)
    assert np.isfinite(teacher.embed(np.zeros((1, 48_240), np.int16))).all()
    assert ((teacher.tags(sound) > 0) & (teacher.tags(sound) < 1)).all()


def test_a_short_window_is_refused():
    teacher = musicnn.Musicnn(musicnn.MusicnnNet(**checkpoints.SIZES).eval())
    with pytest.raises(ShapeError, match="48128"):
        teacher.embed(np.zeros((1, 48_000), np.int16))
