"""Train the audio student: distillation on one head, contrast on the other, resumable at any step."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from edge.errors import ExportError
from export.models.audio import AudioStudent
from export.training.batches import Batch, BatchMaker
from export.training.losses import contrastive, distillation


@dataclass(frozen=True)
class Schedule:
    steps: int = 3_000
    warm_up_steps: int = 100
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    contrastive_weight: float = 0.3
    checkpoint_steps: int = 200
    seed: int = 0


def train(schedule: Schedule, batches: BatchMaker, *, checkpoint: Path | None = None,
          report: Callable[[int, dict[str, float]], None] | None = None) -> AudioStudent:
    """Train from scratch, or from ``checkpoint`` where that exists and is of the same schedule.

    ``report`` gets the step and the mean losses since the last report, at every checkpoint.
    """
    torch.manual_seed(schedule.seed)
    student = AudioStudent().train()
    optimiser = torch.optim.AdamW(_groups(student, schedule.weight_decay), lr=schedule.learning_rate)
    rate = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=schedule.learning_rate, total_steps=schedule.steps + 1,
        pct_start=schedule.warm_up_steps / (schedule.steps + 1), cycle_momentum=False)
    done = _resume(checkpoint, schedule, student, optimiser, rate)
    bar = tqdm(batches.stream(done, schedule.steps), initial=done, total=schedule.steps, desc="train", unit="step",
               disable=None)
    sums: dict[str, float] = {}
    for step, batch in enumerate(bar, start=done + 1):
        losses = _step(student, batch, schedule, optimiser)
        rate.step()
        sums = {name: sums.get(name, 0.0) + value for name, value in losses.items()}
        if step % schedule.checkpoint_steps == 0 or step == schedule.steps:
            means = {name: value / ((step - 1) % schedule.checkpoint_steps + 1) for name, value in sums.items()}
            bar.set_postfix(means)
            sums = {}
            _save(checkpoint, step, schedule, student, optimiser, rate)
            if report:
                report(step, means)
    return student.eval()


def _groups(student: AudioStudent, weight_decay: float) -> list[dict]:
    """No decay on biases and norms."""
    matrices = [p for p in student.parameters() if p.ndim > 1]
    vectors = [p for p in student.parameters() if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def _step(student: AudioStudent, batch: Batch, schedule: Schedule, optimiser: torch.optim.Optimizer
          ) -> dict[str, float]:
    audio, recording = student(batch.mfcc.flatten(0, 1))
    likeness = distillation(audio, batch.target.repeat(2, 1))
    identity = contrastive(*recording.chunk(2), batch.track)
    optimiser.zero_grad(set_to_none=True)
    (likeness + schedule.contrastive_weight * identity).backward()
    optimiser.step()
    return {"distillation": float(likeness.detach()), "contrastive": float(identity.detach())}


def _save(path: Path | None, step: int, schedule: Schedule, student: AudioStudent,
          optimiser: torch.optim.Optimizer, rate: torch.optim.lr_scheduler.LRScheduler) -> None:
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save({"step": step, "schedule": vars(schedule), "student": student.state_dict(),
                "optimiser": optimiser.state_dict(), "rate": rate.state_dict()}, partial)
    partial.replace(path)


def _resume(path: Path | None, schedule: Schedule, student: AudioStudent, optimiser: torch.optim.Optimizer,
            rate: torch.optim.lr_scheduler.LRScheduler) -> int:
    """The number of steps that are already done."""
    if path is None or not path.exists():
        return 0
    saved: dict[str, Tensor | dict] = torch.load(path, weights_only=True)
    if saved.get("schedule") != vars(schedule):
        raise ExportError(f"{path}: a checkpoint of another schedule; remove it or give another path")
    student.load_state_dict(saved["student"])
    optimiser.load_state_dict(saved["optimiser"])
    rate.load_state_dict(saved["rate"])
    return int(saved["step"])
