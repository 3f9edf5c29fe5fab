import copy

import pytest
import torch

from edge.errors import ExportError
from export.quantize import finetune
from export.quantize.finetune import FineTuning, fine_tune
from export.quantize.folding import fold_batch_norm
from export.quantize.graph import constant, layers, trace
from export.quantize.prefix import simulated_cosine
from export.quantize.rounding import round_to_nearest
from tests.export.quantize.architectures import ResNet8, settled


@pytest.fixture(scope="module")
def samples():
    generator = torch.Generator().manual_seed(6)
    return [torch.randn(1, 3, 32, 32, generator=generator) for _ in range(16)]


@pytest.fixture(scope="module")
def folded(samples):
    """One large weight in each channel of two layers takes most of their grids' levels."""
    model = settled(ResNet8(), torch.cat(samples))
    with torch.no_grad():
        model.stacks[0].conv1.weight[:, 0, 0, 0] *= 100
        model.stacks[1].conv2.weight[:, 0, 0, 0] *= 100
    graph = trace(model, samples[0])
    fold_batch_norm(graph)
    return graph


@pytest.fixture
def rounded(folded):
    graph = copy.deepcopy(folded)
    for weight in weights(graph):
        weight.copy_(round_to_nearest(weight))
    return graph


def weights(graph):
    return [constant(graph, layer.weight_name) for layer in layers(graph)]


def test_it_loses_less_than_before(folded, rounded, samples):
    before = simulated_cosine(folded, rounded, samples[12:], 0)
    fine_tune(rounded, folded, samples[:10], samples[10:12], FineTuning(steps=30))
    for weight in weights(rounded):
        torch.testing.assert_close(round_to_nearest(weight), weight)
    assert 1 - simulated_cosine(folded, rounded, samples[12:], 0) < 0.8 * (1 - before)


def test_it_never_ends_worse_than_it_began(folded, rounded, samples):
    before = [weight.clone() for weight in weights(rounded)]
    fine_tune(rounded, folded, samples[:4], samples[4:6], FineTuning(steps=10, learning_rate=1.0))
    for one, other in zip(before, weights(rounded), strict=True):
        torch.testing.assert_close(one, other)


def test_a_stopped_run_goes_on_as_if_it_had_not_been(folded, rounded, samples, tmp_path, monkeypatch):
    monkeypatch.setattr(finetune, "JUDGE_EVERY_STEPS", 2)
    how, parted = FineTuning(steps=6), copy.deepcopy(rounded)
    stopped = copy.deepcopy(rounded)
    fine_tune(rounded, folded, samples[:8], samples[8:10], how)
    step, calls = torch.optim.Adam.step, []

    def stops(self, *args, **kwargs):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return step(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.Adam, "step", stops)
        with pytest.raises(KeyboardInterrupt):
            fine_tune(stopped, folded, samples[:8], samples[8:10], how, checkpoint=tmp_path / "c.pt")
    fine_tune(parted, folded, samples[:8], samples[8:10], how, checkpoint=tmp_path / "c.pt")
    for one, other in zip(weights(rounded), weights(parted), strict=True):
        torch.testing.assert_close(one, other)


def test_a_checkpoint_of_another_run_is_refused(folded, rounded, samples, tmp_path):
    fine_tune(rounded, folded, samples[:2], samples[2:3], FineTuning(steps=1), checkpoint=tmp_path / "c.pt")
    with pytest.raises(ExportError, match="of another run"):
        fine_tune(rounded, folded, samples[:2], samples[2:3], FineTuning(steps=2), checkpoint=tmp_path / "c.pt")
