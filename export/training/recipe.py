"""From packages to a trained student of sound: music, teacher, space, front-end constants, training, figures.

Every stage keeps its result in the cache folder and is left out when that is there.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from edge.bundle import open_bundle
from edge.engine.open import open_engine
from export.data.corpus import Recording, open_corpus
from export.data.fetch import fetch
from export.data.recipes import Package, find, select
from export.frontend import mfcc_constants
from export.models.audio import AudioStudent
from export.teachers.labels import HOP_SAMPLES, label
from export.teachers.musicnn import Musicnn
from export.teachers.projection import Projection, fit_projection
from export.training.augment import Augmenter, RoomBank
from export.training.bank import SoundBank
from export.training.batches import BatchMaker
from export.training.corpus import LabelledTrack, labelled
from export.training.evaluate import BATCH_WINDOWS, CONDITIONS, Figures, embedder, engine_embedder, evaluate
from export.training.evaluate_kinds import KindFigures, evaluate_kinds
from export.training.frontend import WINDOW_SAMPLES, BatchFrontEnd, Standard
from export.training.hearing import PROJECTION_FILE, STANDARD_FILE, WEIGHTS_FILE, Hearing, load_hearing, read_standard
from export.training.kind_head import Heard, fit_kinds, listen
from export.training.kinds import noises, open_chain, syllables
from export.training.known import Embed, Known, calibrate, every, queries
from export.training.refit import refit
from export.training.shelf import Shelf
from export.training.speeds import at_speeds
from export.training.stages import DISTILLATION, Recipe
from export.training.student import train
from export.training.tune import tune

STANDARD_BATCHES = 4
HELD_OUT = ("validation", "test", "unlisted")
HELD_OUT_ROOMS, HELD_OUT_SEEDS = 32, {"test": 99, "validation": 98}
CALIBRATION_QUERIES, FALSE_MATCHES = 4, 0.0025
"""A quarter of what is promised: the validation packages are few, and their tracks less alike than others."""


class Studio:
    """The music of the packages, its teacher, and where the results are kept."""

    def __init__(self, packages: Sequence[Package], cache: Path, recipe: Recipe | None = None):
        self._packages, self._cache, self._recipe = tuple(packages), cache, recipe or Recipe()
        self.front_end = BatchFrontEnd(mfcc_constants())
        self._last_known: tuple[Hearing, Known] | None = None

    @property
    def folder(self) -> Path:
        """One folder per recipe and set of training packages, so that a change of either trains anew."""
        train_on = [package.sha256 for package in self._of_split("train", "music", "speech", "effects")]
        text = json.dumps([asdict(self._recipe), train_on], sort_keys=True)
        return self._cache / "student" / hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def steps(self) -> int:
        return self._recipe.steps

    @cached_property
    def teacher(self) -> Musicnn:
        return Musicnn.from_package(fetch(find(self._packages, "musicnn"), self._cache))

    def recordings(self, *splits: str) -> list[Recording]:
        return open_corpus([package for split in splits for package in self._of_split(split, "music")], self._cache)

    def pools(self, recordings: Sequence[Recording]) -> list[np.ndarray]:
        """What the teacher says of every third second, one (windows, 1506) per recording."""
        return label(self.teacher, recordings, self._cache / "teacher" / self.teacher.name,
                     window_samples=WINDOW_SAMPLES)

    def tracks(self, projection: Projection, *splits: str) -> list[LabelledTrack]:
        return self._labelled(projection, self.recordings(*splits))

    def training_tracks(self, projection: Projection) -> list[LabelledTrack]:
        """Those of the training packages, and the same at other speeds."""
        recordings = self.recordings("train")
        changed = at_speeds(recordings, self._recipe.speeds, self._cache / "speeds")
        return self._labelled(projection, [*recordings, *changed])

    def _labelled(self, projection: Projection, recordings: Sequence[Recording]) -> list[LabelledTrack]:
        pools = self.pools(recordings)
        return labelled(recordings, [projection.apply(part) for part in pools],
                        [self.teacher.tags_of(part) for part in pools])

    def chains(self, split: str, kind: str) -> list[np.ndarray]:
        """The speech or the effects of a split, each package in one piece."""
        return [open_chain(package, self._cache, kind) for package in self._of_split(split, kind)]

    def hearing(self) -> Hearing:
        """Train, or load what was trained."""
        folder = self.folder
        if not (folder / WEIGHTS_FILE).exists():
            folder.mkdir(parents=True, exist_ok=True)
            projection = self._projection(folder / PROJECTION_FILE)
            standard = self._standard(projection, folder / STANDARD_FILE)
            student = train(self.batches(projection, standard), self._recipe, folder / "checkpoint.pt")
            self._fit_audio(student, projection, standard)
            fit_kinds(student.kind, self._heard_kinds(student, standard))
            torch.save(student.state_dict(), folder / WEIGHTS_FILE)
        return load_hearing(folder)

    def _fit_audio(self, student: AudioStudent, projection: Projection, standard: Standard) -> None:
        tracks = self.tracks(projection, "train")
        windows = [self._windows(track, student, standard)
                   for track in tqdm(tracks, desc="fitting", unit="track", disable=None)]
        refit(student.audio, windows)
        tune(student.audio, windows, Shelf(tracks), seed=self._recipe.seed)

    @torch.no_grad()
    def _windows(self, track: LabelledTrack, student: AudioStudent, standard: Standard) -> tuple[Tensor, Tensor]:
        """Of every clean window of a track that the teacher labelled: pooled features, and the teacher's vector."""
        windows = torch.from_numpy(every(track, HOP_SAMPLES)[: len(track.targets)].astype(np.float32))
        heard = [student.features(self.front_end.standardised(part, standard)) for part in windows.split(BATCH_WINDOWS)]
        return torch.cat(heard), torch.from_numpy(track.targets)

    def _heard_kinds(self, student: AudioStudent, standard: Standard) -> list[Heard]:
        """Every training package of speech, also by the syllable, and of effects, all music, and a room's noises."""
        speech = self.chains("train", "speech")
        alone = {0: speech, 2: self.chains("train", "effects")}
        banks = [(kind, SoundBank([piece])) for kind, pieces in alone.items() for piece in pieces]
        banks += [(0, SoundBank([syllables(piece, self._recipe.seed)])) for piece in speech]
        banks += [(1, SoundBank([recording.sound for recording in self.recordings("train")])),
                  (2, SoundBank(noises(self._recipe.seed)))]
        augment = Augmenter(RoomBank(self._recipe.rooms, self._recipe.seed), np.concatenate(speech))
        heard = listen(student, banks, self.front_end, standard, augment, seed=self._recipe.seed)
        return list(tqdm(heard, total=2 * len(banks), desc="kinds", unit="package", disable=None))

    def batches(self, projection: Projection, standard: Standard) -> BatchMaker:
        """Of the training split alone."""
        tracks, speech = self.training_tracks(projection), self.chains("train", "speech")
        kinds = [[*speech, *(syllables(piece, self._recipe.seed) for piece in speech)],
                 [track.sound for track in tracks],
                 [*self.chains("train", "effects"), *noises(self._recipe.seed)]]
        augmenter = Augmenter(RoomBank(self._recipe.rooms, self._recipe.seed), np.concatenate(speech))
        return BatchMaker(tracks, [SoundBank(pieces) for pieces in kinds], self.front_end, standard, augmenter,
                          self._recipe)

    def calibration(self, hearing: Hearing, windows: int) -> np.ndarray:
        """Augmented training windows as the student takes them, float32 (windows, 300, 20)."""
        maker, parts = self.batches(hearing.projection, hearing.standard), []
        for step in range(-(-windows // (2 * self._recipe.windows_per_batch))):
            batch = maker.make(step, DISTILLATION)
            parts += [batch.light, batch.heavy]
        return torch.cat(parts)[:windows].numpy()

    def figures(self, hearing: Hearing, split: str = "test", *, conditions: Sequence[str] = tuple(CONDITIONS),
                with_teacher: bool = True) -> Figures:
        """Measure on every track of the packages that were held out whole: those of ``test`` and ``unlisted`` packages
        ask, or with ``validation`` those that may be looked at to choose; all are in the catalogue."""
        tracks, tested = self._held_out(hearing.projection)
        embed = embedder(hearing.student, self.front_end, hearing.standard)
        known = self._known(hearing)
        return evaluate(tracks, embed, self._held_out_rooms(split), known=known,
                        asked=tested if split == "test" else range(tested.start),
                        least_sureness=self.least_sureness(hearing),
                        teacher=self._as_embed(hearing.projection) if with_teacher else None,
                        conditions={name: CONDITIONS[name] for name in conditions})

    def int8_figures(self, hearing: Hearing, runtime: str, folder: Path) -> Figures:
        """The same of a bundle's int8 model of this student; the teacher is asked only clean."""
        tracks, asked = self._held_out(hearing.projection)
        with open_engine(runtime, open_bundle(folder, trust=None).model("audio").file(runtime)) as engine:
            embed = engine_embedder(engine, self.front_end, hearing.standard)
            return evaluate(tracks, embed, self._held_out_rooms("test"), known=Known(tracks, embed), asked=asked,
                            least_sureness=self.least_sureness(hearing))

    def kinds(self, hearing: Hearing, split: str = "test") -> KindFigures:
        """Speech, music and effects of a split's packages."""
        pieces = [self.chains(split, "speech"), [recording.sound for recording in self.recordings(split)],
                  self.chains(split, "effects")]
        return evaluate_kinds(hearing.student, [SoundBank(part) for part in pieces], self.front_end, hearing.standard,
                              self._held_out_rooms("validation"))

    def least_sureness(self, hearing: Hearing) -> float:
        """How sure a match must be to be one: at most so many queries of validation packages, through everything
        that a query is heard through, are as sure of another recording."""
        embed = embedder(hearing.student, self.front_end, hearing.standard)
        tracks, asked = self._held_out(hearing.projection)
        rooms, known = self._held_out_rooms("validation"), self._known(hearing)
        listening = [number for number in range(len(tracks)) if number not in asked]
        matches = [match for strength in CONDITIONS.values() for seed in range(CALIBRATION_QUERIES)
                   for match in known.matches(queries(tracks, listening, embed, rooms, strength, seed=seed))]
        return calibrate(matches, false_matches=FALSE_MATCHES)

    def _known(self, hearing: Hearing) -> Known:
        """The held-out tracks as a student knows them, made once."""
        if self._last_known is None or self._last_known[0] is not hearing:
            tracks, _ = self._held_out(hearing.projection)
            self._last_known = hearing, Known(tracks, embedder(hearing.student, self.front_end, hearing.standard))
        return self._last_known[1]

    def _held_out(self, projection: Projection) -> tuple[list[LabelledTrack], range]:
        """The tracks of the held-out packages, and which of them are asked for: not those of validation."""
        tracks = self.tracks(projection, *HELD_OUT)
        return tracks, range(len(self.tracks(projection, HELD_OUT[0])), len(tracks))

    def _held_out_rooms(self, split: str) -> Augmenter:
        """Rooms that nothing was trained in, and the voices of a split."""
        return Augmenter(RoomBank(HELD_OUT_ROOMS, HELD_OUT_SEEDS[split]), np.concatenate(self.chains(split, "speech")))

    def _projection(self, path: Path) -> Projection:
        if not path.exists():
            pools = np.concatenate(self.pools(self.recordings("train")))
            fit_projection(self.teacher.name, pools).save(path)
        return Projection.load(path)

    def _standard(self, projection: Projection, path: Path) -> Standard:
        if not path.exists():
            maker = self.batches(projection, Standard(np.zeros(20, np.float32), np.ones(20, np.float32)))
            batches = [maker.make(step, DISTILLATION) for step in range(STANDARD_BATCHES)]
            frames = torch.cat([torch.cat([batch.light, batch.heavy]).flatten(0, 1) for batch in batches])
            np.savez(path, mean=frames.mean(dim=0).numpy(), std=frames.std(dim=0).numpy())
        return read_standard(path)

    def _as_embed(self, projection: Projection) -> Embed:
        def embed(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            audio = projection.apply(self.teacher.embed(windows / np.float32(32768)))
            return audio, audio

        return embed

    def _of_split(self, split: str, *kinds: str) -> list[Package]:
        return [package for kind in kinds for package in select(self._packages, kind) if package.split == split]
