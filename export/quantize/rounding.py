"""Weights onto the int8 grid, each rounding error made up for by the weights that are still to be rounded.

The grid is the converters' own: symmetric, one scale per output channel, 127 levels each way, the channel's largest
weight at the end. The largest weight is kept there, so that the converters find the same scale again.

Error-compensated rounding: Frantar et al., "GPTQ", ICLR 2023, after Hassibi and Stork, "Optimal brain surgeon", 1992.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from export.quantize.graph import CONVOLUTIONS

LEVELS = 127
DAMPING = 0.01
POSITIONS_PER_SAMPLE = 256
"""How many places of a feature map are enough to know how its channels vary together."""


def grid_scale(weight: Tensor) -> Tensor:
    """Scale per output channel: (outputs, ...) -> (outputs,)."""
    return weight.abs().flatten(1).amax(1).clamp_min(1e-12) / LEVELS


def round_to_nearest(weight: Tensor) -> Tensor:
    """Each weight to its nearest level, of the same shape."""
    scale = grid_scale(weight).reshape(-1, *[1] * (weight.dim() - 1))
    return (weight / scale).round().clamp(-LEVELS, LEVELS) * scale


def round_compensated(weight: Tensor, second_moment: Tensor) -> Tensor:
    """Weights on the grid that change the layer's output as little as possible.

    Parameters
    ----------
    weight : Tensor [shape=(outputs, ...)]
    second_moment : Tensor [shape=(groups, inputs, inputs)]
        Mean product of the layer's unfolded inputs, per group.

    Returns
    -------
    Tensor of the weight's shape.
    """
    groups, inputs, _ = second_moment.shape
    left = weight.reshape(groups, -1, inputs).double()
    scale = grid_scale(weight).reshape(groups, -1).double()
    peak = left.abs().argmax(dim=2)
    factor = _inverse_factor(second_moment.double())
    rounded = torch.zeros_like(left)
    for k in range(inputs):
        level = (left[:, :, k] / scale).round().clamp(-LEVELS, LEVELS)
        level = torch.where(peak == k, weight.reshape(left.shape)[:, :, k].sign() * LEVELS, level)
        rounded[:, :, k] = level * scale
        error = (left[:, :, k] - rounded[:, :, k]) / factor[:, k, k, None]
        left[:, :, k + 1 :] -= error[:, :, None] * factor[:, k, None, k + 1 :]
    return rounded.float().reshape(weight.shape)


def _inverse_factor(moment: Tensor) -> Tensor:
    """Upper Cholesky factor of the inverse, damped so that inputs that never vary do no harm."""
    moment = moment.clone()
    diagonal = torch.diagonal(moment, dim1=1, dim2=2)
    diagonal += DAMPING * diagonal.mean(dim=1, keepdim=True) + 1e-12
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(moment))
    return torch.linalg.cholesky(inverse, upper=True)


def second_moment(node: Any, samples: list[Tensor], generator: torch.Generator) -> Tensor:
    """Mean product of what each weight of a layer is multiplied with: (groups, inputs, inputs)."""
    total, count = torch.zeros(()), 0
    for sample in samples:
        unfolded = _unfold(node, sample, generator)
        total = total + unfolded @ unfolded.transpose(1, 2)
        count += unfolded.shape[-1]
    return total / count


def _unfold(node: Any, x: Tensor, generator: torch.Generator) -> Tensor:
    """A layer's input as columns: (groups, inputs of one output, positions)."""
    if node.target not in CONVOLUTIONS:
        return x.reshape(-1, x.shape[-1]).T[None]
    kernel = list(node.args[1].meta["val"].shape[2:])
    stride, padding, dilation, groups = _geometry(node, len(kernel))
    if len(kernel) == 1:
        x, kernel, stride, padding, dilation = x[:, :, None], [1, *kernel], [1, *stride], [0, *padding], [1, *dilation]
    columns = F.unfold(x, tuple(kernel), tuple(dilation), tuple(padding), tuple(stride))
    if columns.shape[-1] > POSITIONS_PER_SAMPLE:
        columns = columns[..., torch.randperm(columns.shape[-1], generator=generator)[:POSITIONS_PER_SAMPLE]]
    samples, rows, positions = columns.shape
    return columns.permute(1, 0, 2).reshape(groups, rows // groups, samples * positions)


def _geometry(node: Any, dimensions: int) -> tuple[list[int], list[int], list[int], int]:
    given = list(node.args[3:])
    stride = _per_axis(given, 0, 1, dimensions)
    padding = _per_axis(given, 1, 0, dimensions)
    dilation = _per_axis(given, 2, 1, dimensions)
    if isinstance(given[1] if len(given) > 1 else 0, str):
        kernel = node.args[1].meta["val"].shape[2:]
        same = given[1] == "same"
        padding = [d * (k - 1) // 2 if same else 0 for k, d in zip(kernel, dilation, strict=True)]
    return stride, padding, dilation, given[3] if len(given) > 3 else 1


def _per_axis(given: list[Any], index: int, default: int, dimensions: int) -> list[int]:
    value = given[index] if len(given) > index else default
    if isinstance(value, int | str):
        return [default if isinstance(value, str) else value] * dimensions
    return list(value) * (dimensions if len(value) == 1 else 1)
