"""Speech, music or something else, on packages and through sampling rates that the student never met."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from export.models.audio import AudioStudent
from export.training.augment import LEAD_SAMPLES, Augmenter, Strength
from export.training.bank import SoundBank
from export.training.evaluate import CLEAN
from export.training.frontend import WINDOW_SAMPLES, BatchFrontEnd, Standard

WINDOWS, BATCH = 400, 100
CONDITIONS = {
    "16 kHz": CLEAN,
    "11 kHz": replace(CLEAN, rate=1.0, rate_low_pass_hz=(5_000.0, 5_000.0)),
    "8 kHz": replace(CLEAN, rate=1.0, rate_low_pass_hz=(3_600.0, 3_600.0)),
    "room, noise 10 dB": replace(CLEAN, room=1.0, noise=1.0, noise_db=(10.0, 10.0)),
}
"""What a window goes through; a rate keeps what lies below nine tenths of its half."""


@dataclass(frozen=True)
class KindFigures:
    """Per condition: mean recall of the three kinds, and how the windows (rows) were taken (columns)."""

    windows_per_kind: int
    balanced_accuracy: dict[str, float]
    confusion: dict[str, list[list[int]]]


def evaluate_kinds(
    student: AudioStudent, kinds: Sequence[SoundBank], front_end: BatchFrontEnd, standard: Standard, augment: Augmenter,
    *, windows: int = WINDOWS, seed: int = 11,
) -> KindFigures:
    """``kinds``: held-out sound of each kind, in the order of the head; so many windows from anywhere in each."""
    confusion = {}
    for name, strength in CONDITIONS.items():
        taken = [_taken(student, bank, front_end, standard, augment, strength, windows, seed) for bank in kinds]
        confusion[name] = [np.bincount(part, minlength=len(kinds)).tolist() for part in taken]
    return KindFigures(windows, {name: balanced_accuracy(np.array(table)) for name, table in confusion.items()},
                       confusion)


def balanced_accuracy(confusion: np.ndarray) -> float:
    """Mean recall of the classes: int (true, taken)."""
    return float(np.mean(np.diagonal(confusion) / confusion.sum(axis=1)))


@torch.no_grad()
def _taken(
    student: AudioStudent, bank: SoundBank, front_end: BatchFrontEnd, standard: Standard, augment: Augmenter,
    strength: Strength, windows: int, seed: int,
) -> np.ndarray:
    """What each window is taken for: int (windows,)."""
    rng = np.random.default_rng(seed)
    numbers = rng.choice(len(bank), windows, p=bank.lengths / bank.lengths.sum())
    starts = rng.integers(np.maximum(bank.lengths[numbers] - WINDOW_SAMPLES, 1))
    parts = []
    for at in range(0, windows, BATCH):
        part = slice(at, at + BATCH)
        heard = augment(bank.cut(numbers[part], starts[part], WINDOW_SAMPLES, lead=LEAD_SAMPLES), strength, rng)
        parts.append(student(front_end.standardised(heard, standard))[3].argmax(dim=1).numpy())
    return np.concatenate(parts)
