"""Tuning a head: it finds more of what is alike on tracks that it has not seen, and stays where the teacher is."""

import numpy as np
import pytest
import torch
from torch import nn

from edge.context import unit
from export.training.corpus import LabelledTrack
from export.training.refit import refit
from export.training.retrieval import mean_average_precision
from export.training.shelf import Shelf
from export.training.tune import _Standardised, tune

FAMILIES, TRACKS, WINDOWS, FEATURES = 40, 4, 6, 80


@pytest.fixture(scope="module")
def music():
    """Albums differ along 20 axes of the teacher's; along 12 others the windows of a track do, and wildly. Features are
    a turn of the teacher's vectors, off by as much again, on scales of their own."""
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(FEATURES, FEATURES)))[0][:, :64] * np.geomspace(0.1, 10, FEATURES)[:, None]
    album = rng.normal(size=(FAMILIES, 1, 1, 20)) + 0.5 * rng.normal(size=(FAMILIES, TRACKS, 1, 20))
    targets = np.zeros((FAMILIES * TRACKS, WINDOWS, 64), np.float32)
    targets[..., :20] = np.repeat(album, WINDOWS, axis=2).reshape(len(targets), WINDOWS, 20)
    targets[..., 20:32] = 2 * rng.normal(size=(len(targets), WINDOWS, 12))
    targets = unit(targets).astype(np.float32)
    noise = rng.normal(0, 0.1, (*targets.shape[:2], FEATURES)) * np.geomspace(0.1, 10, FEATURES)
    return (targets @ turn.T + noise).astype(np.float32), targets


def parts(music, split):
    features, targets = music
    half = len(targets) // 2
    rows = slice(0, half) if split == "train" else slice(half, None)
    tracks = [LabelledTrack(str(number), str(number // TRACKS), np.zeros(1, np.int16), target, np.zeros((WINDOWS, 50)))
              for number, target in enumerate(targets[rows])]
    windows = zip(torch.from_numpy(features[rows]), torch.from_numpy(targets[rows]), strict=True)
    return list(windows), tracks


def precision(head, music):
    """Of unseen tracks, asked with their first window."""
    windows, tracks = parts(music, "test")
    with torch.no_grad():
        asked = unit(np.stack([head(features[:1])[0].numpy() for features, _ in windows]))
    return mean_average_precision(asked @ Shelf(tracks).vectors.numpy().T, np.array([track.family for track in tracks]))


def test_it_finds_more_of_albums_that_it_has_not_seen(music):
    windows, tracks = parts(music, "train")
    head = nn.Linear(FEATURES, 64)
    refit(head, windows)
    before = precision(head, music)
    tune(head, windows, Shelf(tracks), seed=0)
    assert precision(head, music) > 1.1 * before


def test_a_head_depends_on_the_seed_alone(music):
    windows, tracks = parts(music, "train")
    heads = []
    for _ in range(2):
        head = nn.Linear(FEATURES, 64)
        refit(head, windows)
        tune(head, windows, Shelf(tracks), seed=3)
        heads.append(head)
    assert torch.equal(heads[0].weight, heads[1].weight)


def test_a_head_taken_apart_and_put_together_is_the_same(music):
    features = torch.from_numpy(music[0]).flatten(0, 1)
    features[:, 0] = 7.0
    head, again = nn.Linear(FEATURES, 64), nn.Linear(FEATURES, 64)
    _Standardised(head, features).fold_into(again)
    torch.testing.assert_close(again(features), head(features), rtol=1e-3, atol=1e-3)
