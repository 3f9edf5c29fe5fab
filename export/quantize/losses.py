"""What each layer loses by being int8, and the ranges of its weights and activations."""

import math
from dataclasses import dataclass

import torch
from torch import fx

from export.quantize.graph import constant
from export.quantize.lockstep import Lockstep, Range, Samples, Step
from export.quantize.rounding import round_to_nearest

MOST_DB = 120.0


@dataclass(frozen=True)
class LayerLoss:
    """Signal-to-noise ratios in dB, small is bad; ranges are the smallest and the largest value."""

    layer: str
    own_snr_db: float
    """Of its own rounding: its output with int8 weights against that with float weights, on the same input."""
    snr_db: float
    """Of everything up to it: its output in the int8 model against that in the float model."""
    weights: tuple[float, float]
    activations: tuple[float, float]


def layer_losses(reference: fx.GraphModule, samples: Samples) -> list[LayerLoss]:
    """One row per layer of a folded float graph, in order, with weights rounded to nearest: before any correction.

    The graph's constants are the same afterwards as before.
    """
    found: list[tuple[str, float, float, tuple[float, float]]] = []

    def on_layer(step: Step) -> Samples:
        weight = constant(reference, step.layer.weight_name)
        kept = weight.clone()
        exact = step.run(step.twin_inputs)
        weight.copy_(round_to_nearest(weight))
        rounded = step.run(step.twin_inputs)
        weight.copy_(kept)
        low, high = torch.aminmax(kept)
        found.append((step.layer.name, snr_db(exact, rounded), snr_db(step.float_outputs, rounded),
                      (float(low), float(high))))
        return rounded

    ranges = Lockstep(reference).run(samples, on_layer).ranges
    return [LayerLoss(name, own, total, weights, _pair(ranges.get(name)))
            for name, own, total, weights in found]


def worst(losses: list[LayerLoss], count: int) -> list[LayerLoss]:
    """Those that lose most by themselves, worst first."""
    return sorted(losses, key=lambda loss: loss.own_snr_db)[:count]


def snr_db(reference: Samples, measured: Samples) -> float:
    """10 log10 of the signal's energy over that of the difference; at most 120, which a layer of zeros has."""
    signal = sum(float(a.square().sum()) for a in reference)
    noise = sum(float((a - b).square().sum()) for a, b in zip(reference, measured, strict=True))
    if noise <= signal * 1e-12:
        return MOST_DB
    return 10 * math.log10(max(signal, 1e-30) / noise)


def _pair(held: Range | None) -> tuple[float, float]:
    return (held.low, held.high) if held else (math.nan, math.nan)
