"""The student's shape, size and cost."""

import torch
from torch import nn

from export.models.audio import AudioStudent, audio_student


def test_two_embeddings_of_a_window_and_two_classifiers():
    audio, recording, tags, kind = audio_student()(torch.zeros(3, 300, 20))
    assert (tags.shape, kind.shape) == ((3, 50), (3, 3))
    assert audio.shape == recording.shape == (3, 64)


def test_it_is_small_enough_for_a_speaker():
    assert sum(p.numel() for p in AudioStudent().parameters()) <= 300_000


def test_a_window_costs_at_most_15_million_multiplications():
    counted = []

    def count(layer, inputs, output):
        per_output = layer.weight[0].numel()
        counted.append(output[0].numel() * per_output)

    student = audio_student()
    for layer in student.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    student(torch.zeros(1, 300, 20))
    assert 10e6 < sum(counted) <= 15e6


def test_it_hears_order_in_time_only_through_its_filters():
    """Pooling forgets where a sound was: shifting a pattern by whole strides away from the edges changes nothing."""
    student = audio_student()
    pattern = torch.zeros(1, 300, 20)
    pattern[:, 140:150] = torch.randn(10, 20)
    moved = torch.roll(pattern, 8, dims=1)
    torch.testing.assert_close(student(pattern)[0], student(moved)[0], rtol=1e-4, atol=1e-4)
