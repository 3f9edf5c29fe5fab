"""The head of the kinds: what is fitted, and that no package outweighs the others."""

import numpy as np
import torch
from torch import nn

from export.frontend import mfcc_constants
from export.models.audio import AudioStudent
from export.training.augment import Augmenter, RoomBank
from export.training.bank import SoundBank
from export.training.frontend import BatchFrontEnd, Standard
from export.training.kind_head import FEWEST, Heard, fit_kinds, listen


def cloud(kind, centre, n, seed=0):
    rng = np.random.default_rng(seed)
    return Heard(kind, torch.from_numpy(rng.normal(centre, 1, (n, 4))).float())


def test_three_clouds_are_told_apart_in_the_features_own_units():
    centres = [[6, 0, 0, 9], [0, 6, 0, 9], [0, 0, 6, 9]]
    head = nn.Linear(4, 3)
    fit_kinds(head, [cloud(kind, centre, 200, kind) for kind, centre in enumerate(centres)])
    for kind, centre in enumerate(centres):
        assert (head(cloud(kind, centre, 100, 9).features).argmax(dim=1) == kind).float().mean() > 0.98


def test_a_kind_of_many_windows_counts_no_more_than_one_of_few():
    """Between two clouds of 4,000 and of 100 windows the border lies in the middle."""
    head = nn.Linear(4, 3)
    fit_kinds(head, [cloud(0, [-2, 0, 0, 0], 4_000), cloud(1, [2, 0, 0, 0], 100, 1), cloud(2, [0, 9, 0, 0], 100, 2)])
    with torch.no_grad():
        along = head(torch.tensor([[float(x), 0, 0, 0] for x in np.linspace(-2, 2, 81)]))
    border = np.linspace(-2, 2, 81)[int((along[:, 1] > along[:, 0]).float().argmax())]
    assert abs(border) < 0.4


def test_every_bank_is_heard_clean_and_worn():
    sound = np.random.default_rng(0).normal(0, 2_000, 100_000).astype(np.int16)
    plain = Standard(np.zeros(20, np.float32), np.ones(20, np.float32))
    banks = [(0, SoundBank([sound])), (2, SoundBank([sound, sound]))]
    augment = Augmenter(RoomBank(2, 0), np.empty(0, np.int16))
    heard = list(listen(AudioStudent().eval(), banks, BatchFrontEnd(mfcc_constants()), plain, augment, seed=1))
    assert [part.kind for part in heard] == [0, 0, 2, 2]
    assert {part.features.shape for part in heard} == {(FEWEST, 544)}
    assert not torch.allclose(heard[0].features, heard[1].features)
