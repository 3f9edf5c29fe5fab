"""The losses on cases that can be worked out by hand."""

import math

import pytest
import torch

from export.training.losses import contrastive_loss, distillation_loss, relation_loss, two_view_distillation_loss

TEMPERATURE = 0.1


def test_distillation_is_one_minus_the_cosine():
    teacher = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert float(distillation_loss(3 * teacher, teacher)) == pytest.approx(0, abs=1e-6)
    assert float(distillation_loss(teacher.flip(0), teacher)) == pytest.approx(1)
    assert float(distillation_loss(-teacher, teacher)) == pytest.approx(2)


def test_what_was_heard_nearly_clean_counts_twice():
    teacher = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    right, wrong = teacher, teacher.flip(0)
    assert float(two_view_distillation_loss(wrong, right, teacher)) == pytest.approx(2 / 3)
    assert float(two_view_distillation_loss(right, wrong, teacher)) == pytest.approx(1 / 3)


def test_relations_survive_a_rotation_and_not_a_collapse():
    teacher = torch.eye(4)
    rotation = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(0)))[0]
    assert float(relation_loss(teacher @ rotation, teacher)) == pytest.approx(0, abs=1e-6)
    assert float(relation_loss(torch.ones(4, 4), teacher)) == pytest.approx(12 / 16)


def test_contrast_of_orthogonal_pairs_by_hand():
    """Each of 2n rows meets its partner at cosine 1 and 2n - 2 others at cosine 0."""
    first = torch.eye(3)
    by_hand = -math.log(math.exp(1 / TEMPERATURE) / (math.exp(1 / TEMPERATURE) + 4))
    assert float(contrastive_loss(first, first, torch.arange(3), TEMPERATURE)) == pytest.approx(by_hand, rel=1e-2)


def test_windows_of_one_track_are_no_negatives():
    same, two = torch.ones(2, 3), torch.tensor([7, 8])
    assert float(contrastive_loss(same, same, torch.tensor([7, 7]), TEMPERATURE)) == pytest.approx(0, abs=1e-6)
    assert float(contrastive_loss(same, same, two, TEMPERATURE)) == pytest.approx(math.log(3), rel=1e-4)
