"""Train the student that hears: pretraining, distillation, fine-tuning, whichever of them the recipe holds."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from edge.errors import ExportError
from export.checkpoint import read_plain
from export.models.audio import DIMENSION, FEATURES, AudioStudent
from export.training.batches import Batch, BatchMaker
from export.training.losses import contrastive_loss, relation_loss, two_view_distillation_loss
from export.training.shelf import Shelf
from export.training.stages import Recipe, Stage

CHECKPOINT_EVERY_STEPS = 100
EMA_DECAY = 0.998
WARM_UP = 0.1


def train(maker: BatchMaker, recipe: Recipe, checkpoint: Path, *, workers: int = 1) -> AudioStudent:
    """Run (or go on with) a training; the returned student has the averaged weights and is in eval mode.

    ``checkpoint`` is rewritten every CHECKPOINT_EVERY_STEPS steps. Raises ExportError when it is of another form.
    """
    torch.manual_seed(recipe.seed)
    run = Run(recipe, maker.shelf)
    if checkpoint.is_file():
        run.load(checkpoint)
    bar = tqdm(total=recipe.steps, initial=run.step, desc="training", unit="step", disable=None)
    for batch in _batches(maker, recipe, run.step, workers):
        losses = run.learn(batch)
        bar.update()
        if run.step % CHECKPOINT_EVERY_STEPS == 0 or run.step == recipe.steps:
            run.note(losses)
            bar.set_postfix(losses)
            run.save(checkpoint)
    return run.result()


class _Steps(Dataset[Batch]):
    """What a data loader's process makes: the batch of a step's stage."""

    def __init__(self, maker: BatchMaker, recipe: Recipe):
        self._maker, self._recipe = maker, recipe

    def __getitem__(self, step: int) -> Batch:
        return self._maker.make(step, stage_at(self._recipe, step)[0])


def _batches(maker: BatchMaker, recipe: Recipe, start: int, workers: int) -> Iterator[Batch]:
    return iter(DataLoader(_Steps(maker, recipe), batch_size=None, sampler=range(start, recipe.steps),
                           num_workers=workers, worker_init_fn=_one_thread, prefetch_factor=4 if workers else None))


def _one_thread(_: int) -> None:
    torch.set_num_threads(1)


def stage_at(recipe: Recipe, step: int) -> tuple[Stage, float]:
    """The stage of a step, and how far through it the step is, 0 to 1."""
    for stage in recipe.stages:
        if step < stage.steps:
            return stage, step / stage.steps
        step -= stage.steps
    raise ExportError(f"step {step} lies beyond the recipe's last stage")


def rate_at(recipe: Recipe, step: int) -> float:
    """Learning rate of a step: a tenth of each stage up, then down as a cosine."""
    stage, done = stage_at(recipe, step)
    share = done / WARM_UP if done < WARM_UP else 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))
    return stage.learning_rate * max(share, 1e-3)


class Run:
    """Student, optimiser and step count: what a checkpoint holds."""

    def __init__(self, recipe: Recipe, shelf: Shelf):
        self.recipe, self._shelf = recipe, shelf
        self.student = AudioStudent().train()
        self.student.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        for block in self.student.blocks:
            _in_float32(block.get_submodule("depthwise"))
        self.segments = nn.Linear(FEATURES, DIMENSION)
        """The head of the pretraining, thrown away after it."""
        self.averaged = AveragedModel(self.student, multi_avg_fn=_average, use_buffers=True)
        self.optimizer = torch.optim.AdamW([*self.student.parameters(), *self.segments.parameters()],
                                           weight_decay=recipe.weight_decay)
        self.step = 0
        self.history: list[dict[str, Any]] = []

    def result(self) -> AudioStudent:
        """The student with the averaged weights."""
        student = AudioStudent()
        student.load_state_dict(self.averaged.module.state_dict())
        return student.eval()

    def learn(self, batch: Batch) -> dict[str, float]:
        """One step; the losses before it."""
        stage, _ = stage_at(self.recipe, self.step)
        weights = {name: weight for name, weight in asdict(stage.weights).items() if weight}
        losses = self._losses(batch, weights)
        total = sum((weights[name] * loss for name, loss in losses.items()), torch.zeros(()))
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(self.recipe, self.step)
        self.optimizer.zero_grad()
        total.backward()
        self.optimizer.step()
        self.averaged.update_parameters(self.student)
        self.step += 1
        return {name: round(float(loss.detach()), 4) for name, loss in losses.items()}

    def _losses(self, batch: Batch, wanted: dict[str, float]) -> dict[str, Tensor]:
        n = len(batch.light)
        parts = [batch.light, batch.heavy] + ([batch.sounds] if len(batch.sounds) else [])
        with torch.autocast("cpu", torch.bfloat16):
            features = self.student.features(torch.cat(parts))
        features = features.float()
        music, sounds = features[: 2 * n], features[2 * n :]
        losses: dict[str, Tensor] = {}
        if "segments" in wanted:
            losses["segments"] = self._contrast(self.segments(music), batch.track)
        audio = self.student.audio(music)
        if "distillation" in wanted:
            light, heavy = audio.chunk(2)
            losses["distillation"] = two_view_distillation_loss(light, heavy, batch.targets)
        if "relation" in wanted:
            losses["relation"] = relation_loss(audio, batch.targets.repeat(2, 1))
        if "retrieval" in wanted:
            losses["retrieval"] = self._shelf.retrieval_loss(audio, batch.track.repeat(2))
        if "contrast" in wanted:
            losses["contrast"] = self._contrast(self.student.recording(music), batch.track)
        if "tags" in wanted:
            losses["tags"] = F.binary_cross_entropy_with_logits(self.student.tags(music), batch.tags.repeat(2, 1))
        if "kind" in wanted:
            losses["kind"] = F.cross_entropy(self.student.kind(sounds), batch.kinds)
        return losses

    def _contrast(self, vectors: Tensor, track: Tensor) -> Tensor:
        first, second = vectors.chunk(2)
        return contrastive_loss(first, second, track, self.recipe.temperature)

    def note(self, losses: dict[str, float]) -> None:
        """Keep the losses of a checkpointed step."""
        self.history.append({"step": self.step, **losses})

    def _parts(self) -> dict[str, Any]:
        return {"student": self.student, "segments": self.segments, "averaged": self.averaged,
                "optimizer": self.optimizer}

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(".writing")
        state = {name: part.state_dict() for name, part in self._parts().items()}
        torch.save({"step": self.step, "history": self.history, **state}, scratch)
        scratch.replace(path)

    def load(self, path: Path) -> None:
        state = read_plain(path)
        try:
            for name, part in self._parts().items():
                part.load_state_dict(state[name])
            self.step, self.history = int(state["step"]), list(state["history"])
        except (KeyError, TypeError, RuntimeError, ValueError) as error:
            raise ExportError(f"{path}: not a checkpoint of this student: {error}; remove it to begin anew") from error


@torch.no_grad()
def _average(averaged: Sequence[Tensor], current: Sequence[Tensor], steps: Tensor | int) -> None:
    """Exponential, but sooner rid of the first steps."""
    decay = min(EMA_DECAY, (1 + int(steps)) / (10 + int(steps)))
    for kept, value in zip(averaged, current, strict=True):
        kept.copy_(torch.lerp(kept, value, 1 - decay) if kept.is_floating_point() else value)


def _in_float32(convolution: nn.Module) -> None:
    """oneDNN's gradient of a depthwise convolution takes twice as long in bfloat16."""
    forward = convolution.forward

    def full(x: Tensor) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            return forward(x.float())

    convolution.__dict__["forward"] = full


def recording_space(student: AudioStudent) -> str:
    """Identifier of the recording view's space: it changes with any weight, for no teacher fixes it."""
    digest = hashlib.sha256()
    for name, value in sorted(student.state_dict().items()):
        digest.update(name.encode() + value.detach().numpy().tobytes())
    return f"roomtone-recording64@{digest.hexdigest()[:12]}"
