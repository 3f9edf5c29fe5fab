"""From packages to a trained student of sound: music, teacher, space, front-end constants, training, figures.

Every stage keeps its result in the cache folder and is left out when that is there.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from edge.errors import ExportError
from export.checkpoint import read_state
from export.data.corpus import Recording, open_corpus, open_speech
from export.data.fetch import fetch
from export.data.recipes import Package, find, select
from export.frontend import mfcc_constants
from export.models.audio import AudioStudent
from export.teachers.labels import label
from export.teachers.musicnn import Musicnn
from export.teachers.projection import Projection, fit_projection
from export.training.augment import Augmenter, RoomBank
from export.training.corpus import LabelledTrack, labelled
from export.training.evaluate import Figures, embedder, evaluate
from export.training.frontend import WINDOW_SAMPLES, BatchFrontEnd, Standard
from export.training.student import BatchMaker, Recipe, recording_space, train

STANDARD_BATCHES = 16
DEFAULT_HEARING = Path(__file__).resolve().parent.parent / "models" / "default"
WEIGHTS_FILE, STANDARD_FILE, PROJECTION_FILE = "student.pt", "standard.npz", "projection.npz"
HELD_OUT = ("validation", "test", "unlisted")
HELD_OUT_ROOMS, HELD_OUT_SEED = 32, 99
RAW = Standard(np.zeros(20, np.float32), np.ones(20, np.float32))


@dataclass(frozen=True)
class Hearing:
    """A trained student and all that a bundle and a catalogue need beside its weights."""

    student: AudioStudent
    standard: Standard
    projection: Projection

    @property
    def spaces(self) -> dict[str, str]:
        return {"audio": self.projection.space, "recording": recording_space(self.student)}


class Studio:
    """The music of the packages, its teacher, and where the results are kept."""

    def __init__(self, packages: Sequence[Package], cache: Path, recipe: Recipe | None = None):
        self._packages, self._cache, self._recipe = tuple(packages), cache, recipe or Recipe()
        self.front_end = BatchFrontEnd(mfcc_constants())

    @property
    def folder(self) -> Path:
        """One folder per recipe and set of training packages, so that a change of either trains anew."""
        train_on = [package.sha256 for package in self._of_split("train", "music", "speech")]
        text = json.dumps([asdict(self._recipe), train_on], sort_keys=True)
        return self._cache / "student" / hashlib.sha256(text.encode()).hexdigest()[:12]

    def teacher(self) -> Musicnn:
        return Musicnn.from_package(fetch(find(self._packages, "musicnn"), self._cache))

    def recordings(self, *splits: str) -> list[Recording]:
        return open_corpus([package for split in splits for package in self._of_split(split, "music")], self._cache)

    def pools(self, recordings: Sequence[Recording]) -> list[np.ndarray]:
        """What the teacher says of every third second, one (windows, 1506) per recording."""
        teacher = self.teacher()
        return label(teacher, recordings, self._cache / "teacher" / teacher.name, window_samples=WINDOW_SAMPLES)

    def tracks(self, projection: Projection, *splits: str) -> list[LabelledTrack]:
        recordings = self.recordings(*splits)
        return labelled(recordings, [projection.apply(pools) for pools in self.pools(recordings)])

    def hearing(self) -> Hearing:
        """Train, or load what was trained."""
        self.folder.mkdir(parents=True, exist_ok=True)
        projection = self._projection()
        standard = self._standard(projection)
        weights = self.folder / WEIGHTS_FILE
        if not weights.exists():
            maker = self.batches(projection, standard)
            torch.save(train(maker, self._recipe, self.folder / "checkpoint.pt").state_dict(), weights)
        return load_hearing(self.folder)

    def batches(self, projection: Projection, standard: Standard) -> BatchMaker:
        """Augmented training batches, standardised by ``standard``."""
        speech = open_speech(self._of_split("train", "speech"), self._cache)
        augmenter = Augmenter(RoomBank(self._recipe.rooms, self._recipe.seed), speech)
        return BatchMaker(self.tracks(projection, "train"), self.front_end, standard, augmenter, self._recipe)

    def figures(self, hearing: Hearing) -> Figures:
        """Measure on every track of the packages that were held out whole."""
        speech = open_speech(self._of_split("test", "speech"), self._cache)
        augmenter = Augmenter(RoomBank(HELD_OUT_ROOMS, HELD_OUT_SEED), speech)
        embed = embedder(hearing.student, self.front_end, hearing.standard)
        return evaluate(self.tracks(hearing.projection, *HELD_OUT), embed, augmenter)

    def _of_split(self, split: str, *kinds: str) -> list[Package]:
        return [package for kind in kinds for package in select(self._packages, kind) if package.split == split]

    def _projection(self) -> Projection:
        path = self.folder / PROJECTION_FILE
        if not path.exists():
            pools = self.pools(self.recordings("train"))
            fit_projection(Musicnn.name, np.concatenate(pools)).save(path)
        return Projection.load(path)

    def _standard(self, projection: Projection) -> Standard:
        path = self.folder / STANDARD_FILE
        if not path.exists():
            maker = self.batches(projection, RAW)
            frames = torch.cat([torch.cat([batch.light, batch.heavy]).flatten(0, 1)
                                for batch in (maker[step] for step in range(STANDARD_BATCHES))])
            np.savez(path, mean=frames.mean(dim=0).numpy(), std=frames.std(dim=0).numpy())
        return _read_standard(path)


def load_hearing(folder: Path = DEFAULT_HEARING) -> Hearing:
    """What a training left in a folder; by default what the default bundle was made of. Raises ExportError."""
    student = AudioStudent()
    read_state(folder / WEIGHTS_FILE, into=student)
    return Hearing(student.eval(), _read_standard(folder / STANDARD_FILE), Projection.load(folder / PROJECTION_FILE))


def save_hearing(hearing: Hearing, folder: Path) -> None:
    """Write what ``load_hearing`` reads: tensors and arrays, no code."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(hearing.student.state_dict(), folder / WEIGHTS_FILE)
    np.savez(folder / STANDARD_FILE, mean=hearing.standard.mean, std=hearing.standard.std)
    hearing.projection.save(folder / PROJECTION_FILE)


def _read_standard(path: Path) -> Standard:
    try:
        with np.load(path, allow_pickle=False) as parts:
            return Standard(parts["mean"], parts["std"])
    except (OSError, KeyError, ValueError) as error:
        raise ExportError(f"{path}: not the mean and std of a front end: {error}") from error
