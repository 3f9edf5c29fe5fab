"""The head that tells speech, music and other sounds apart, fitted when the network under it is trained.

A few hundred windows of each package, clean and worn, all kinds counting alike: a package of an hour says little more
of its kind than one of a minute, and batches that draw by length hear the long ones alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.models.audio import KINDS, AudioStudent
from export.training.augment import LEAD_SAMPLES, LIGHT, Augmenter, Strength
from export.training.bank import SoundBank
from export.training.batches import AT_ONCE, SOUND
from export.training.frontend import WINDOW_SAMPLES, BatchFrontEnd, Standard

FEWEST, MOST = 64, 2_400
"""Windows of a package; between these, as many as lie in it side by side."""
DECAY = 1e-2
"""Of the squared weights: the best of 1e-4 to 3e-2 on training packages left out by fifths."""
ROUNDS = 150


@dataclass(frozen=True)
class Heard:
    """Windows of one package: pooled features, float32 (n, features), and which of KINDS they are."""

    kind: int
    features: Tensor


@torch.no_grad()
def listen(
    student: AudioStudent, banks: Sequence[tuple[int, SoundBank]], front_end: BatchFrontEnd, standard: Standard,
    augment: Augmenter, *, seed: int,
) -> Iterator[Heard]:
    """Each bank (its kind, its sounds) twice: nearly clean, and as training hears it."""
    rng = np.random.default_rng(seed)
    for kind, bank in banks:
        n = int(np.clip(bank.lengths.sum() // WINDOW_SAMPLES, FEWEST, MOST))
        for strength in (LIGHT, SOUND):
            yield Heard(kind, torch.cat([student.features(front_end.standardised(heard, standard))
                                         for heard in _heard(bank, n, augment, strength, rng)]))


def _heard(bank: SoundBank, n: int, augment: Augmenter, strength: Strength, rng: np.random.Generator
           ) -> Iterator[Tensor]:
    numbers = rng.choice(len(bank), n, p=bank.lengths / bank.lengths.sum())
    starts = rng.integers(np.maximum(bank.lengths[numbers] - WINDOW_SAMPLES, 1))
    for at in range(0, n, AT_ONCE):
        part = slice(at, at + AT_ONCE)
        yield augment(bank.cut(numbers[part], starts[part], WINDOW_SAMPLES, lead=LEAD_SAMPLES), strength, rng)


def fit_kinds(head: nn.Linear, heard: Sequence[Heard]) -> None:
    """Multinomial logistic regression on standardised features, in place; kinds count alike, and within a kind all
    packages."""
    features = torch.cat([part.features for part in heard])
    kinds = torch.cat([torch.full((len(part.features),), part.kind) for part in heard])
    weights = torch.cat([torch.full((len(part.features),), 1 / len(part.features)) for part in heard])
    for kind in range(len(KINDS)):
        weights[kinds == kind] /= weights[kinds == kind].sum() * len(KINDS)
    mean, scale = features.mean(dim=0), features.std(dim=0) + 1e-2
    fitted = _regression((features - mean) / scale, kinds, weights)
    with torch.no_grad():
        head.weight.copy_(fitted.weight / scale)
        head.bias.copy_(fitted.bias - head.weight @ mean)


def _regression(x: Tensor, kinds: Tensor, weights: Tensor) -> nn.Linear:
    fitted = nn.Linear(x.shape[1], len(KINDS))
    nn.init.zeros_(fitted.weight)
    nn.init.zeros_(fitted.bias)
    optimizer = torch.optim.LBFGS(fitted.parameters(), max_iter=ROUNDS, history_size=20, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        entropy = (F.cross_entropy(fitted(x), kinds, reduction="none") * weights).sum()
        total = entropy + DECAY * fitted.weight.square().sum()
        total.backward()
        return total

    optimizer.step(loss)
    return fitted
