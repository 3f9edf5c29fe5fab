"""Quantisation-aware fine-tuning: a model learns to give, rounded to int8, what it gave in float.

The float model is its own teacher, so calibration inputs are all the data that it takes. Rounding passes gradients
straight through (Bengio et al., "Estimating or propagating gradients through stochastic neurons", 2013); ranges of
activations stay as calibration found them. It starts from the corrected model and keeps the best that it meets on
inputs that it does not train on, so it never ends worse than it began. Where int8 loses little already, as with
both default models, it gains nothing.
"""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, fx
from tqdm import tqdm

from edge.errors import ExportError
from export.checkpoint import read_plain
from export.quantize.graph import constant, layers
from export.quantize.layout import outputs_of
from export.quantize.lockstep import Lockstep, Range, Samples
from export.quantize.rounding import round_to_nearest

JUDGE_EVERY_STEPS = 10
"""Judged on held-out inputs, and a checkpoint written."""


@dataclass(frozen=True)
class FineTuning:
    """Everything that a run depends on beside its graph and its inputs."""

    steps: int = 200
    learning_rate: float = 3e-5
    inputs_per_step: int = 8
    seed: int = 0


def fine_tune(
    graph: fx.GraphModule, teacher: fx.GraphModule, samples: Samples, held_out: Samples, how: FineTuning, *,
    checkpoint: Path | None = None,
) -> None:
    """Train a corrected graph in place to give what ``teacher``, the float one, gives.

    Afterwards its weights lie on the int8 grid. A run that was stopped goes on from ``checkpoint`` as if it had not
    been. Raises ExportError for a checkpoint of another run.
    """
    twin = _Twin(graph, _ranges(teacher, graph, samples))
    with torch.no_grad():
        targets, judged = ([outputs_of(teacher(sample)) for sample in some] for some in (samples, held_out))
    run = _Run([constant(graph, name).requires_grad_() for layer in layers(graph)
                for name in (layer.weight_name, layer.bias_name)], how, checkpoint)
    run.judge(_mean_loss(twin, held_out, judged))
    for step in tqdm(range(run.step, how.steps), desc="fine-tuning", unit="step", initial=run.step, total=how.steps,
                     disable=None):
        rng, wanted = np.random.default_rng((how.seed, step)), min(how.inputs_per_step, len(samples))
        for index in rng.choice(len(samples), wanted, replace=False):
            (_loss(outputs_of(twin.run(samples[index])), targets[index]) / wanted).backward()
        run.advance()
        if run.step % JUDGE_EVERY_STEPS == 0 or run.step == how.steps:
            run.judge(_mean_loss(twin, held_out, judged))
            run.save()
    run.finish()
    for layer in layers(graph):
        weight = constant(graph, layer.weight_name)
        weight.copy_(round_to_nearest(weight))


@torch.no_grad()
def _mean_loss(twin: "_Twin", samples: Samples, targets: list[list[Tensor]]) -> float:
    return float(np.mean([float(_loss(outputs_of(twin.run(sample)), target))
                          for sample, target in zip(samples, targets, strict=True)]))


def _loss(given: list[Tensor], wanted: list[Tensor]) -> Tensor:
    """1 - cosine, summed over outputs; for scores, which have no direction, the squared error."""
    parts = [F.mse_loss(a, b) if a.shape[-1] == 1 else 1 - F.cosine_similarity(a, b, dim=-1).mean()
             for a, b in zip(given, wanted, strict=True)]
    return torch.stack(parts).sum()


def _ranges(teacher: fx.GraphModule, graph: fx.GraphModule, samples: Samples) -> dict[Any, Range]:
    """Ranges of the teacher's activations, by the same nodes of ``graph``."""
    found = Lockstep(teacher).run(samples, lambda step: step.run(step.twin_inputs)).node_ranges
    pairs = zip(teacher.graph.nodes, graph.graph.nodes, strict=True)
    return {own: found[node] for node, own in pairs if node in found}


class _Twin(fx.Interpreter):
    """Runs a graph with weights and activations rounded, gradients passing as if they were not."""

    def __init__(self, graph: fx.GraphModule, ranges: dict[Any, Range]):
        super().__init__(graph)
        self._ranges = ranges
        self._weights = {layer.node.args[1] for layer in layers(graph)}

    def run_node(self, node: fx.Node) -> Any:
        value = super().run_node(node)
        if node in self._weights:
            return _straight_through(value, round_to_nearest(value.detach()))
        if node in self._ranges:
            held = self._ranges[node]
            clipped = value.clamp(held.low, held.high)
            return _straight_through(clipped, held.round(clipped.detach()))
        return value


def _straight_through(value: Tensor, rounded: Tensor) -> Tensor:
    return value + (rounded - value).detach()


class _Run:
    """What training changes, the best of it so far, and the checkpoint."""

    def __init__(self, parameters: list[Tensor], how: FineTuning, checkpoint: Path | None):
        self._parameters, self._how, self._path = parameters, how, checkpoint
        self._optimiser = torch.optim.Adam(parameters, lr=how.learning_rate)
        self._best_loss, self._best = math.inf, self._copied()
        self.step = 0
        if checkpoint is not None and checkpoint.exists():
            self._resume(checkpoint)
        self._optimiser.zero_grad()

    def advance(self) -> None:
        self._optimiser.step()
        self._optimiser.zero_grad()
        self.step += 1

    def judge(self, loss: float) -> None:
        if loss < self._best_loss:
            self._best_loss, self._best = loss, self._copied()

    def finish(self) -> None:
        """The parameters are the best ones that were met, and no longer trained."""
        for parameter in self._parameters:
            parameter.requires_grad_(False)
        self._set(self._best)

    def save(self) -> None:
        if self._path is None:
            return
        made = self._path.with_name(self._path.name + ".new")
        torch.save({"recipe": asdict(self._how), "step": self.step, "parameters": self._copied(), "best": self._best,
                    "best_loss": self._best_loss, "optimiser": self._optimiser.state_dict()}, made)
        made.replace(self._path)

    def _resume(self, path: Path) -> None:
        kept = read_plain(path)
        shapes = [tuple(parameter.shape) for parameter in self._parameters]
        if kept.get("recipe") != asdict(self._how) or [tuple(value.shape) for value in kept["parameters"]] != shapes:
            raise ExportError(f"{path} is of another run; remove it, or name another checkpoint")
        self._set(kept["parameters"])
        self._best, self._best_loss, self.step = kept["best"], kept["best_loss"], kept["step"]
        self._optimiser.load_state_dict(kept["optimiser"])

    def _copied(self) -> list[Tensor]:
        return [parameter.detach().clone() for parameter in self._parameters]

    @torch.no_grad()
    def _set(self, values: list[Tensor]) -> None:
        for parameter, value in zip(self._parameters, values, strict=True):
            parameter.copy_(value)
