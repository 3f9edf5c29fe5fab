"""The stages between a model and its files: traced and folded, corrected, converted for each runtime."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import fx

from edge.bundle import Output
from edge.errors import ExportError
from export.quantize import blame, onnx, tflite
from export.quantize.finetune import fine_tune
from export.quantize.folding import fold_batch_norm
from export.quantize.graph import trace
from export.quantize.layout import Network, outputs_of
from export.quantize.lockstep import Samples
from export.quantize.options import Options
from export.quantize.prefix import corrected_graph
from export.quantize.quiet import first_line, quiet

CORRECTION_SAMPLES, HELD_OUT_SAMPLES = 32, 8
FINE_TUNING_SAMPLES, FINE_TUNING_HELD_OUT = 192, 16


@dataclass(frozen=True)
class Converted:
    """One runtime's model, and the float model that it came from."""

    int8: bytes
    real: bytes
    float_operations: list[str]
    """Types of the operations that the runtime computes in float all the same."""


def folded_graph(network: Network, example: np.ndarray) -> fx.GraphModule:
    """Raises ExportError naming the module that has no fixed graph of operations."""
    given = torch.from_numpy(example)
    with quiet():
        try:
            graph = trace(network.module, given)
        except Exception as error:  # torch.export wraps whatever its many passes raise
            culprit = blame.untraceable_module(network.module, given)
            raise ExportError(f"{culprit} has no fixed graph of operations, perhaps because it branches on the "
                              f"values of its input: {first_line(error)}") from error
    fold_batch_norm(graph)
    return graph


def corrected(network: Network, calibration: np.ndarray, options: Options) -> tuple[fx.GraphModule, int]:
    """The corrected graph, and how many of its first layers stay in float."""
    folded = folded_graph(network, calibration[:1])
    held_out = max(1, min(HELD_OUT_SAMPLES, len(calibration) // 4))
    chosen = samples_of(calibration, CORRECTION_SAMPLES + held_out)
    graph, float_prefix = corrected_graph(
        lambda: copy.deepcopy(folded), chosen[held_out:], chosen[:held_out],
        most_float=0 if options.fine_tuning else options.most_float_prefix,
        least_cosine=options.thresholds.cosine_mean, compensate=options.compensate)
    if options.fine_tuning is not None:
        training = samples_of(calibration, FINE_TUNING_SAMPLES)
        fine_tune(graph, folded, training[FINE_TUNING_HELD_OUT:], training[:FINE_TUNING_HELD_OUT],
                  options.fine_tuning, checkpoint=options.checkpoint)
    return graph, float_prefix


def samples_of(inputs: np.ndarray, most: int) -> Samples:
    """Evenly spaced inputs, each a batch of one."""
    rows = np.unique(np.linspace(0, len(inputs) - 1, min(most, len(inputs))).round().astype(int))
    return [torch.from_numpy(inputs[row : row + 1]) for row in np.random.default_rng(0).permutation(rows)]


def convert(
    runtime: str, graph: fx.GraphModule, calibration: np.ndarray, outputs: Sequence[Output], float_prefix: int,
    options: Options,
) -> Converted:
    """Raises ExportError naming what the format cannot express."""
    if runtime == "litert":
        real = tflite.float_tflite(graph, calibration[:1])
        int8 = tflite.int8_tflite(real, calibration, float_prefix=float_prefix)
        return Converted(int8, real, tflite.float_operations(int8))
    real = onnx.float_onnx(graph, calibration[:1], [output.view for output in outputs])
    int8 = onnx.int8_onnx(real, calibration, float_prefix=float_prefix, activations=options.onnx_activations)
    return Converted(int8, real, onnx.float_operations(int8))


@torch.no_grad()
def float_answers(network: Network, inputs: np.ndarray) -> list[np.ndarray]:
    """The model's own outputs, one float32 (n, dimension) each. Raises ExportError when they are not finite."""
    rows = [outputs_of(network.module(torch.from_numpy(row[np.newaxis]))) for row in inputs]
    answers = [torch.cat(column).numpy() for column in zip(*rows, strict=True)]
    if not all(np.isfinite(answer).all() for answer in answers):
        raise ExportError(f"{network.name} gives values that are not finite; its weights may hold NaN")
    return answers
