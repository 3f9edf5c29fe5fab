"""Train the student that hears: distillation on its ``audio`` head, contrast on its ``recording`` head.

Batch number ``s`` depends on the seed and on ``s`` alone, so a run that was stopped goes on as if it had not been.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from edge.errors import ExportError
from export.checkpoint import read_plain
from export.models.audio import AudioStudent
from export.teachers.labels import HOP_SAMPLES
from export.training.augment import HEAVY, LIGHT, Augmenter, Strength
from export.training.corpus import LabelledTrack
from export.training.frontend import BatchFrontEnd, Standard
from export.training.losses import contrastive_loss, distillation_loss, relation_loss

CHECKPOINT_EVERY_STEPS = 200
JITTER_SAMPLES = 4_800
"""A view begins up to 0.3 s off the window that the teacher labelled."""
SHIFT_SAMPLES = 9_600
"""The second view begins up to 0.6 s off the first: a device does not know where the catalogue's windows begin."""
EMA_DECAY = 0.998


@dataclass(frozen=True)
class Recipe:
    """Everything that a run depends on beside its data."""

    steps: int = 2600
    tracks_per_batch: int = 80
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    distillation: float = 1.0
    """Weight of the teacher's vectors; 0 leaves the stage out."""
    relation: float = 1.0
    """Weight of the teacher's pairwise similarities."""
    contrast: float = 0.15
    """Weight of the recording head's contrast; 0 leaves the stage out."""
    rooms: int = 256
    seed: int = 1


@dataclass(frozen=True)
class Batch:
    """Two views of the same windows, standardised MFCC (n, 300, 20); targets (n, 64); track numbers (n,)."""

    light: Tensor
    heavy: Tensor
    targets: Tensor
    track: Tensor


class BatchMaker(Dataset):
    """Batch ``step``: a window each from different tracks, once nearly clean and once as heard in a room."""

    def __init__(
        self, tracks: Sequence[LabelledTrack], front_end: BatchFrontEnd, standard: Standard,
        augmenter: Augmenter, recipe: Recipe,
    ):
        self._tracks, self._front_end, self._standard = tracks, front_end, standard
        self._augmenter, self._recipe = augmenter, recipe

    def __len__(self) -> int:
        return self._recipe.steps

    def __getitem__(self, step: int) -> Batch:
        rng = np.random.default_rng((self._recipe.seed, step))
        n = min(self._recipe.tracks_per_batch, len(self._tracks))
        numbers = rng.permutation(len(self._tracks))[:n]
        chosen = [self._tracks[number] for number in numbers]
        index = [int(rng.integers(len(track.targets))) for track in chosen]
        first = np.array(index) * HOP_SAMPLES + rng.integers(-JITTER_SAMPLES, JITTER_SAMPLES + 1, n)
        second = first + rng.integers(-SHIFT_SAMPLES, SHIFT_SAMPLES + 1, n)
        return Batch(
            light=self._view(chosen, first, LIGHT, rng),
            heavy=self._view(chosen, second, HEAVY, rng),
            targets=torch.from_numpy(np.stack([track.targets[i] for track, i in zip(chosen, index, strict=True)])),
            track=torch.from_numpy(numbers),
        )

    def _view(self, tracks: list[LabelledTrack], starts: np.ndarray, strength: Strength, rng: np.random.Generator
              ) -> Tensor:
        spans = np.stack([track.span(start) for track, start in zip(tracks, starts, strict=True)])
        return self._front_end.standardised(self._augmenter(spans, strength, rng), self._standard)


def train(maker: BatchMaker, recipe: Recipe, checkpoint: Path, *, workers: int = 1) -> AudioStudent:
    """Run (or go on with) a training; the returned student has the averaged weights and is in eval mode.

    ``checkpoint`` is rewritten every 200 steps. Raises ExportError when it is of another form.
    """
    torch.manual_seed(recipe.seed)
    run = _Run(recipe)
    if checkpoint.is_file():
        run.load(checkpoint)
    bar = tqdm(total=recipe.steps, initial=run.step, desc="training", unit="step", disable=None)
    for batch in _batches(maker, run.step, recipe.steps, workers):
        bar.set_postfix({name: f"{value:.3f}" for name, value in run.learn(batch).items()})
        bar.update()
        if run.step % CHECKPOINT_EVERY_STEPS == 0 or run.step == recipe.steps:
            run.save(checkpoint)
    return run.result()


def _batches(maker: BatchMaker, start: int, stop: int, workers: int) -> Iterator[Batch]:
    return iter(DataLoader(maker, batch_size=None, sampler=range(start, stop), num_workers=workers,
                           worker_init_fn=_one_thread, prefetch_factor=4 if workers else None))


def _one_thread(_: int) -> None:
    torch.set_num_threads(1)


class _Run:
    """Student, optimiser, schedule and step count: what a checkpoint holds."""

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        self.student = AudioStudent().train()
        self.averaged = AveragedModel(self.student, multi_avg_fn=get_ema_multi_avg_fn(EMA_DECAY), use_buffers=True)
        self.optimizer = torch.optim.AdamW(self.student.parameters(), recipe.learning_rate,
                                           weight_decay=recipe.weight_decay)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, recipe.learning_rate, total_steps=recipe.steps, pct_start=0.1)
        self.step = 0

    def result(self) -> AudioStudent:
        """The student with the averaged weights."""
        student = AudioStudent()
        student.load_state_dict(self.averaged.module.state_dict())
        return student.eval()

    def learn(self, batch: Batch) -> dict[str, float]:
        losses = self._losses(batch)
        weights = self.recipe
        total = (weights.distillation * losses["distillation"] + weights.relation * losses["relation"]
                 + weights.contrast * losses["contrast"])
        self.optimizer.zero_grad()
        total.backward()
        self.optimizer.step()
        self.schedule.step()
        self.averaged.update_parameters(self.student)
        self.step += 1
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        audio, recording = self.student(torch.cat([batch.light, batch.heavy]))
        first, second = recording.chunk(2)
        twice = batch.targets.repeat(2, 1)
        return {
            "distillation": distillation_loss(audio, twice),
            "relation": relation_loss(audio, twice),
            "contrast": contrastive_loss(first, second, batch.track),
        }

    def _parts(self) -> dict[str, Any]:
        return {"student": self.student, "averaged": self.averaged, "optimizer": self.optimizer,
                "schedule": self.schedule}

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(".writing")
        torch.save({"step": self.step, **{name: part.state_dict() for name, part in self._parts().items()}}, scratch)
        scratch.replace(path)

    def load(self, path: Path) -> None:
        state = read_plain(path)
        try:
            for name, part in self._parts().items():
                part.load_state_dict(state[name])
            self.step = int(state["step"])
        except (KeyError, TypeError, RuntimeError) as error:
            raise ExportError(f"{path}: not a checkpoint of this student: {error}; remove it to begin anew") from error


def recording_space(student: AudioStudent) -> str:
    """Identifier of the recording view's space: it changes with any weight, for no teacher fixes it."""
    digest = hashlib.sha256()
    for name, value in sorted(student.state_dict().items()):
        digest.update(name.encode() + value.detach().numpy().tobytes())
    return f"roomtone-recording64@{digest.hexdigest()[:12]}"
