"""Folding, rounding and correction against hand-computed cases and properties."""

import numpy as np
import pytest
import torch
from torch import nn

from export.quantize.correction import correct
from export.quantize.folding import fold_batch_norm
from export.quantize.graph import constant, layers, trace
from export.quantize.lockstep import Lockstep, Range
from export.quantize.losses import layer_losses, snr_db, worst
from export.quantize.rounding import grid_scale, round_compensated, round_to_nearest, second_moment
from tests.export.quantize.architectures import MobileNet, ResNet8, TemporalCnn, settled


def traced(model, example):
    graph = trace(model, example)
    fold_batch_norm(graph)
    return graph


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("make", "shape"), [
    (ResNet8, (1, 3, 32, 32)), (MobileNet, (1, 32, 32, 3)), (TemporalCnn, (1, 10, 49)),
    (lambda: nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4)), (1, 5)),
    (lambda: nn.Sequential(nn.Flatten(), nn.BatchNorm1d(6, affine=False), nn.ReLU()), (1, 6)),
])
def test_folding_keeps_what_the_model_computes(make, shape):
    model = settled(make(), random(8, *shape[1:]))
    x = random(*shape, seed=3)
    graph = traced(model, x)
    assert torch.ops.aten.batch_norm.default not in [node.target for node in graph.graph.nodes]
    for wanted, got in zip(*(out if isinstance(out, tuple) else (out,) for out in (model(x), graph(x))), strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-4)


def test_a_layer_that_is_used_twice_gets_constants_of_its_own_each_time():
    shared = nn.Conv2d(4, 4, 1, bias=False)
    model = nn.Sequential(shared, nn.BatchNorm2d(4), shared, nn.BatchNorm2d(4))
    model = settled(model, random(8, 4, 5, 5))
    x = random(1, 4, 5, 5, seed=2)
    torch.testing.assert_close(traced(model, x)(x), model(x), rtol=1e-4, atol=1e-4)


def test_layers_are_named_after_their_modules():
    graph = traced(ResNet8().eval(), torch.zeros(1, 3, 32, 32))
    assert [layer.name for layer in layers(graph)][:3] == ["stem.0", "stacks.0.conv1", "stacks.0.conv2"]


def test_the_grid_is_the_largest_weight_over_127_per_channel():
    weight = torch.tensor([[1.27, -0.5], [0.0, -12.7]])
    assert grid_scale(weight).tolist() == pytest.approx([0.01, 0.1])
    assert round_to_nearest(torch.tensor([[1.27, 0.014]])).tolist()[0] == pytest.approx([1.27, 0.01])


@pytest.mark.parametrize("shape", [(8, 12), (8, 4, 3, 3), (8, 1, 3, 3), (8, 6, 5)])
def test_compensated_weights_lie_on_the_converters_own_grid(shape):
    weight = random(*shape)
    groups = 8 if shape[1] == 1 else 1
    columns = random(groups, weight[0].numel(), 100, seed=4)
    rounded = round_compensated(weight, columns @ columns.transpose(1, 2) / 100)
    torch.testing.assert_close(grid_scale(rounded), grid_scale(weight))
    torch.testing.assert_close(round_to_nearest(rounded), rounded)


def test_compensation_loses_less_than_rounding_to_nearest():
    weight, mix = random(16, 24), random(24, 24, seed=1)
    columns = mix @ random(24, 500, seed=2)
    rounded = round_compensated(weight, (columns @ columns.T / 500)[None])
    lost = [float(((candidate - weight) @ columns).square().mean())
            for candidate in (round_to_nearest(weight), rounded)]
    assert lost[1] < 0.7 * lost[0]


@pytest.mark.parametrize("layer", [
    nn.Conv2d(4, 6, 3, stride=2, padding=1), nn.Conv2d(4, 8, (3, 1), padding="same", dilation=(2, 1)),
    nn.Conv2d(4, 8, 3, groups=4), nn.Conv2d(4, 4, 5, padding="valid"),
])
def test_second_moment_is_that_of_the_products_of_a_convolution(layer):
    """With it, a weight's mean squared output is w M w: checked against the convolution itself."""
    x = random(1, 4, 9, 9)
    graph = trace(layer.eval(), x)
    moment = second_moment(layers(graph)[0].node, [x], torch.Generator())
    weight = layer.weight.detach().reshape(moment.shape[0], -1, moment.shape[1])
    predicted = torch.einsum("goi,gij,goj->go", weight, moment, weight).flatten()
    measured = (layer(x) - layer.bias.reshape(1, -1, 1, 1)).square().mean((0, 2, 3))
    torch.testing.assert_close(predicted, measured, rtol=1e-4, atol=1e-4)


def test_second_moment_of_a_temporal_convolution():
    layer, x = nn.Conv1d(3, 4, 3, padding=2, dilation=2), random(1, 3, 20)
    moment = second_moment(layers(trace(layer.eval(), x))[0].node, [x], torch.Generator())
    weight = layer.weight.detach().reshape(4, -1)
    predicted = torch.einsum("oi,ij,oj->o", weight, moment[0], weight)
    torch.testing.assert_close(predicted, (layer(x) - layer.bias[:, None]).square().mean((0, 2)), rtol=1e-4, atol=1e-4)


def test_corrected_layers_have_the_mean_output_of_the_float_ones():
    model = settled(ResNet8(), random(8, 3, 32, 32))
    samples = [random(1, 3, 32, 32, seed=seed) for seed in range(4)]
    graph = traced(model, samples[0])
    correct(graph, samples, compensate=False)
    for layer in layers(graph):
        weight = constant(graph, layer.weight_name)
        torch.testing.assert_close(round_to_nearest(weight), weight)
    bias = np.mean([(graph(x) - model(x)).mean().item() for x in samples])
    assert abs(bias) < 0.02 * np.mean([model(x).detach().std().item() for x in samples])


def test_correction_lessens_the_loss():
    model = settled(MobileNet(), random(16, 32, 32, 3))
    samples = [random(1, 32, 32, 3, seed=seed) for seed in range(12)]

    def lost(compensate):
        graph = traced(model, samples[0])
        correct(graph, samples[:8], compensate=compensate)
        return -snr_db([model(x) for x in samples[8:]], [graph(x) for x in samples[8:]])

    with torch.no_grad():
        assert lost(True) < lost(False)


def test_a_channel_of_next_to_no_weights_keeps_its_bias_within_int32():
    layer = nn.Conv2d(2, 2, 1)
    with torch.no_grad():
        layer.weight[0] = 1e-12
        layer.bias[:] = torch.tensor([5.0, 1.0])
    x = [random(1, 2, 4, 4)]
    graph = traced(layer.eval(), x[0])
    correct(graph, x)
    only = layers(graph)[0]
    steps = constant(graph, only.bias_name) / (grid_scale(constant(graph, only.weight_name)) * Range.of(x).scale)
    assert float(steps.abs().max()) < 2**31
    torch.testing.assert_close(graph(x[0]), layer(x[0]), rtol=0.02, atol=0.02)


def test_a_float_prefix_stays_as_it_was():
    graph = traced(settled(ResNet8(), random(8, 3, 32, 32)), torch.zeros(1, 3, 32, 32))
    before = [constant(graph, layer.weight_name).clone() for layer in layers(graph)]
    correct(graph, [random(1, 3, 32, 32)], float_prefix=2)
    after = [constant(graph, layer.weight_name) for layer in layers(graph)]
    assert [torch.equal(*pair) for pair in zip(before, after, strict=True)][:3] == [True, True, False]


def test_a_range_holds_zero_and_rounds_to_256_levels():
    held = Range.of([torch.tensor([1.0, 5.1])])
    assert (held.low, held.high) == (0.0, pytest.approx(5.1))
    values = held.round(torch.linspace(-1, 6, 5000))
    assert len(values.unique()) == 256
    assert float(values.min()) == 0.0
    assert 0.0 in Range(-1.0, 3.3).round(torch.tensor([0.001, 0.5])).tolist()


def test_lockstep_without_any_change_is_the_float_model_with_rounded_activations():
    model = settled(ResNet8(), random(8, 3, 32, 32))
    x = [random(1, 3, 32, 32)]
    outcome = Lockstep(traced(model, x[0])).run(x, lambda step: step.run(step.twin_inputs))
    torch.testing.assert_close(outcome.float_outputs[0][0], model(x[0]), rtol=1e-4, atol=1e-4)
    assert snr_db(*([out[0] for out in (outcome.float_outputs, outcome.twin_outputs)])) > 20


def test_the_layer_that_rounds_worst_is_found():
    model = settled(ResNet8(), random(8, 3, 32, 32))
    with torch.no_grad():  # one outlier per channel makes the grid too coarse for all the others
        model.stacks[1].conv2.weight[:, 0, 0, 0] *= 300
    graph = traced(model, torch.zeros(1, 3, 32, 32))
    losses = layer_losses(graph, [random(1, 3, 32, 32, seed=seed) for seed in range(3)])
    assert len(losses) == len(layers(graph))
    assert worst(losses, 1)[0].layer == "stacks.1.conv2"


def test_the_ratio_of_signal_to_noise():
    tone = [torch.tensor([3.0, 4.0])]
    assert snr_db(tone, [torch.tensor([3.0, 4.5])]) == pytest.approx(20.0)
    assert snr_db(tone, tone) == snr_db([torch.zeros(2)], [torch.zeros(2)]) == 120.0
