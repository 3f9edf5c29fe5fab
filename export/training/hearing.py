"""A trained student and what a bundle and a catalogue need beside it, on disk and off."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from edge.errors import ExportError
from export.checkpoint import read_state
from export.damage import DAMAGED
from export.models.audio import AudioStudent
from export.teachers.projection import Projection
from export.training.frontend import Standard
from export.training.student import recording_space

DEFAULT_HEARING = Path(__file__).resolve().parent.parent / "models" / "default"
WEIGHTS_FILE, STANDARD_FILE, PROJECTION_FILE = "student.pt", "standard.npz", "projection.npz"


@dataclass(frozen=True)
class Hearing:
    """A trained student and all that a bundle and a catalogue need beside its weights."""

    student: AudioStudent
    standard: Standard
    projection: Projection

    @property
    def spaces(self) -> dict[str, str]:
        return {"audio": self.projection.space, "recording": recording_space(self.student)}


def load_hearing(folder: Path = DEFAULT_HEARING) -> Hearing:
    """What a training left in a folder; by default what the default bundle was made of. Raises ExportError."""
    student = AudioStudent()
    read_state(folder / WEIGHTS_FILE, into=student)
    return Hearing(student.eval(), read_standard(folder / STANDARD_FILE), Projection.load(folder / PROJECTION_FILE))


def save_hearing(hearing: Hearing, folder: Path) -> None:
    """Write what ``load_hearing`` reads: tensors and arrays, no code."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(hearing.student.state_dict(), folder / WEIGHTS_FILE)
    np.savez(folder / STANDARD_FILE, mean=hearing.standard.mean, std=hearing.standard.std)
    hearing.projection.save(folder / PROJECTION_FILE)


def read_standard(path: Path) -> Standard:
    """Raises ExportError for a file of another form."""
    try:
        with np.load(path, allow_pickle=False) as parts:
            return Standard(parts["mean"], parts["std"])
    except DAMAGED as error:
        raise ExportError(f"{path}: not the mean and std of a front end: {error}") from error
