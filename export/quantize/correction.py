"""A float graph whose weights already lie on the int8 grid and whose biases make up for what that costs.

Layer by layer, on calibration samples: round the weights (rounding.py), then add to the bias what the layer's mean
output lost (Nagel et al., "Data-free quantization", ICCV 2019, section 4.2, with measured means). Both converters
start from the corrected graph, so both formats lose the same little.
"""

import torch
from torch import Tensor, fx

from export.quantize.graph import Layer, constant
from export.quantize.lockstep import Lockstep, Range, Samples, Step
from export.quantize.rounding import LEVELS, grid_scale, round_compensated, round_to_nearest, second_moment

BIAS_LIMIT = float(1 << 30)
"""A bias is stored as int32 in steps of input scale times weight scale; half the range is left to sums."""


def correct(graph: fx.GraphModule, samples: Samples, *, compensate: bool = True, float_prefix: int = 0) -> None:
    """Round and correct every layer of a folded graph after its ``float_prefix`` first ones, in place."""
    generator = torch.Generator().manual_seed(0)

    def on_layer(step: Step) -> Samples:
        node = step.layer.node
        weight, bias = constant(graph, step.layer.weight_name), constant(graph, step.layer.bias_name)
        _guard_bias(weight, bias, Range.of(step.twin_inputs).scale)
        if compensate:
            weight.copy_(round_compensated(weight, second_moment(node, step.twin_inputs, generator)))
        else:
            weight.copy_(round_to_nearest(weight))
        outputs = step.run(step.twin_inputs)
        lost = _channel_mean(step.float_outputs, step.layer) - _channel_mean(outputs, step.layer)
        bias.add_(lost)
        shape = [1] * outputs[0].dim()
        shape[step.layer.channel_axis] = -1
        return [output + lost.reshape(shape) for output in outputs]

    Lockstep(graph, float_prefix=float_prefix).run(samples, on_layer)


def _guard_bias(weight: Tensor, bias: Tensor, input_scale: float) -> None:
    """Give a channel whose weights are next to nothing one that is large enough for its bias to fit into int32."""
    smallest_scale = bias.abs() / (BIAS_LIMIT * input_scale)
    for channel in torch.nonzero(grid_scale(weight) < smallest_scale).flatten().tolist():
        weight[channel].view(-1)[0] = smallest_scale[channel] * LEVELS


def _channel_mean(samples: Samples, layer: Layer) -> Tensor:
    axis = layer.channel_axis
    return torch.stack([sample.movedim(axis, -1).flatten(0, -2).mean(0) for sample in samples]).mean(0)
