"""Training batches: windows that the teacher labelled, each heard twice, and sounds of every kind.

Batch number ``s`` depends on the seed and on ``s`` alone, so a run that was stopped goes on as if it had not been.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from export.teachers.labels import HOP_SAMPLES
from export.training.augment import HEAVY, LEAD_SAMPLES, LIGHT, Augmenter, Strength
from export.training.bank import SoundBank
from export.training.corpus import LabelledTrack
from export.training.frontend import WINDOW_SAMPLES, BatchFrontEnd, Standard
from export.training.shelf import Shelf
from export.training.stages import Recipe, Stage

JITTER_SAMPLES = 4_800
"""A view begins up to 0.3 s off the window that the teacher labelled."""
SHIFT_SAMPLES = 9_600
"""The second view begins up to 0.6 s off the first: a device does not know where the catalogue's windows begin."""
AT_ONCE = 8
"""Windows that are heard and transformed together: few enough to stay in a processor's cache."""
SOUND = Strength(room=0.3, loudspeaker=0.5, rate=0.5, noise=0.5, noise_db=(5.0, 30.0), voice=0.0)
"""What every window goes through whose kind is asked for, so that no kind has a sound of its files."""


@dataclass(frozen=True)
class Batch:
    """Two views of windows, standardised MFCC (n, 300, 20); what the teacher says of them: unit vectors (n, 64) and
    tag probabilities (n, 50); the tracks that they are of (n,); sounds (m, 300, 20) and their kinds (m,).

    What a stage does not ask for is empty.
    """

    light: Tensor
    heavy: Tensor
    targets: Tensor
    tags: Tensor
    track: Tensor
    sounds: Tensor
    kinds: Tensor


class BatchMaker:
    """``kinds`` are speech, music and other sounds, in the order of the student's head."""

    def __init__(
        self, tracks: Sequence[LabelledTrack], kinds: Sequence[SoundBank], front_end: BatchFrontEnd,
        standard: Standard, augmenter: Augmenter, recipe: Recipe,
    ):
        self._tracks, self._kinds = tracks, kinds
        self.shelf = Shelf(tracks)
        self._music = SoundBank([track.sound for track in tracks])
        self._labelled = np.array([len(track.targets) for track in tracks])
        self._front_end, self._standard, self._augmenter = front_end, standard, augmenter
        self._recipe = recipe

    def make(self, step: int, stage: Stage) -> Batch:
        """What ``stage`` asks for in its step."""
        rng = np.random.default_rng((self._recipe.seed, step))
        numbers = _evenly(len(self._tracks), self._recipe.windows_per_batch, rng)
        index = rng.integers(self._labelled[numbers])
        first = index * HOP_SAMPLES + _off(JITTER_SAMPLES, len(numbers), rng)
        second = (rng.integers(self._labelled[numbers]) * HOP_SAMPLES if stage.weights.segments
                  else first + _off(SHIFT_SAMPLES, len(numbers), rng))
        asked = list(zip(numbers.tolist(), index.tolist(), strict=True))
        return Batch(
            light=self._view(self._music, numbers, first, LIGHT, rng),
            heavy=self._view(self._music, numbers, second, HEAVY, rng),
            targets=torch.from_numpy(np.stack([self._tracks[number].targets[at] for number, at in asked])),
            tags=torch.from_numpy(np.stack([self._tracks[number].tags[at] for number, at in asked])),
            track=torch.from_numpy(numbers),
            **(self._sounds(rng) if stage.weights.kind else _no_sounds()))

    def _sounds(self, rng: np.random.Generator) -> dict[str, Tensor]:
        """As many windows of every kind; of a piece four times as long, twice as many."""
        each = self._recipe.sounds_per_kind
        views = []
        for bank in self._kinds:
            shares = np.sqrt(bank.lengths)
            numbers = rng.choice(len(bank), each, p=shares / shares.sum())
            starts = rng.integers(np.maximum(bank.lengths[numbers] - WINDOW_SAMPLES, 1))
            views.append(self._view(bank, numbers, starts, SOUND, rng))
        return {"sounds": torch.cat(views), "kinds": torch.arange(len(self._kinds)).repeat_interleave(each)}

    def _view(self, bank: SoundBank, numbers: np.ndarray, starts: np.ndarray, strength: Strength,
              rng: np.random.Generator) -> Tensor:
        spans = bank.cut(numbers, starts, WINDOW_SAMPLES, lead=LEAD_SAMPLES)
        return torch.cat([self._front_end.standardised(self._augmenter(part, strength, rng), self._standard)
                          for part in spans.split(AT_ONCE)])


def _evenly(tracks: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """n numbers of tracks, every track as often as the next."""
    return np.concatenate([rng.permutation(tracks) for _ in range(-(-n // tracks))])[:n]


def _off(most: int, n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.integers(-most, most + 1, n)


def _no_sounds() -> dict[str, Tensor]:
    return {"sounds": torch.empty(0), "kinds": torch.empty(0, dtype=torch.long)}
