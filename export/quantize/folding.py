"""Batch norm folded away: into the layer before it, or into a depthwise 1x1 layer of its own.

y = g (x - m) / sqrt(v + e) + b; with s = g / sqrt(v + e), a layer's weight becomes s W and its bias s (c - m) + b
(Jacob et al., "Quantization and training of neural networks", CVPR 2018, section 3.2).
"""

from typing import Any

import torch
from torch import Tensor, fx

from export.quantize.graph import WEIGHTED, add_constant, clean, constant

_ATEN = torch.ops.aten
_CONVOLUTION = {3: _ATEN.conv1d.default, 4: _ATEN.conv2d.default}


@torch.no_grad()
def fold_batch_norm(graph: fx.GraphModule) -> int:
    """Fold every batch norm of a traced graph, in place. Returns how many there were."""
    norms: list[Any] = [node for node in graph.graph.nodes if node.target == _ATEN.batch_norm.default]
    for norm in norms:
        scale, shift = _affine(graph, norm)
        before = norm.args[0]
        if before.target in WEIGHTED and len(before.users) == 1:
            _into_layer(graph, before, scale, shift)
            replacement = before
        else:
            replacement = _into_own_layer(graph, norm, scale, shift)
        norm.replace_all_uses_with(replacement)
        graph.graph.erase_node(norm)
    clean(graph)
    return len(norms)


def _affine(graph: fx.GraphModule, norm: Any) -> tuple[Tensor, Tensor]:
    """Scale and shift per channel, (channels,) each."""
    gain, offset, mean, variance = norm.args[1:5]
    scale = torch.rsqrt(constant(graph, variance.target) + norm.args[7])
    if gain is not None:
        scale = scale * constant(graph, gain.target)
    shift = -constant(graph, mean.target) * scale
    return scale, shift if offset is None else shift + constant(graph, offset.target)


def _into_layer(graph: fx.GraphModule, layer: Any, scale: Tensor, shift: Tensor) -> None:
    weight, bias = (constant(graph, arg.target) for arg in layer.args[1:3])
    weight.mul_(scale.reshape(-1, *[1] * (weight.dim() - 1)))
    bias.mul_(scale).add_(shift)


def _into_own_layer(graph: fx.GraphModule, norm: Any, scale: Tensor, shift: Tensor) -> Any:
    dimensions = norm.meta["val"].dim()
    channels = len(scale)
    if dimensions in _CONVOLUTION:
        scale = scale.reshape(channels, *[1] * (dimensions - 1))
    weight = add_constant(graph, f"{norm.name}_weight", scale, before=norm)
    bias = add_constant(graph, f"{norm.name}_bias", shift, before=norm)
    with graph.graph.inserting_before(norm):
        if dimensions in _CONVOLUTION:
            ones = [1] * (dimensions - 2)
            zeros = [0] * (dimensions - 2)
            made = graph.graph.call_function(_CONVOLUTION[dimensions],
                                             (norm.args[0], weight, bias, ones, zeros, ones, channels))
        else:
            scaled = graph.graph.call_function(_ATEN.mul.Tensor, (norm.args[0], weight))
            made = graph.graph.call_function(_ATEN.add.Tensor, (scaled, bias))
    made.meta = dict(norm.meta)
    return made
