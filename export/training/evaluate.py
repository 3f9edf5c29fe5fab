"""How well the student hears, on tracks of packages that it never met.

Three questions: how near its vectors come to the teacher's, how well a query of the student finds tracks of the
same artist or album among the teacher's vectors, and how often ten seconds from anywhere name the recording.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from edge.context import unit
from export.models.audio import AudioStudent
from export.teachers.labels import HOP_SAMPLES
from export.training.augment import Augmenter, Strength
from export.training.corpus import LabelledTrack
from export.training.frontend import WINDOW_SAMPLES, BatchFrontEnd, Standard

QUERY_SAMPLES = 160_000
RECORDING_HOP_SAMPLES = 16_000
BATCH_WINDOWS = 32
CLEAN = Strength(room=0.0, loudspeaker=0.0, band=0.0, noise=0.0, voice=0.0, level_db=(-12.0, -12.0), talkers=1)
NOISY = replace(CLEAN, noise=1.0, noise_db=(10.0, 10.0))
CONDITIONS = {
    "clean": CLEAN,
    "room": replace(CLEAN, room=1.0),
    "noise 10 dB": NOISY,
    "room, noise 10 dB": replace(NOISY, room=1.0),
    "speech 10 dB": replace(CLEAN, voice=1.0, voice_db=(10.0, 10.0)),
}
"""What a query goes through; the catalogue is always clean."""
Embed = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Windows float32 (n, 48240) -> unit vectors of the audio and the recording view, (n, 64) each."""


@dataclass(frozen=True)
class Figures:
    """``retrieval`` and ``recording`` have one number per condition."""

    tracks: int
    cosine: float
    """Mean cosine between student and teacher, window by window, clean."""
    teacher_retrieval: float
    """Mean average precision of the teacher's own queries."""
    chance_retrieval: float
    """Mean share of a query's relatives among the other tracks."""
    retrieval: dict[str, float]
    recording: dict[str, float]
    """Share of queries whose best match is the right track."""


def embedder(student: AudioStudent, front_end: BatchFrontEnd, standard: Standard) -> Embed:
    """The float student behind its front end."""

    @torch.no_grad()
    def embed(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        parts = [student(front_end.standardised(part, standard))
                 for part in torch.from_numpy(windows.astype(np.float32)).split(BATCH_WINDOWS)]
        audio, recording = (torch.cat(column).numpy() for column in zip(*parts, strict=True))
        return unit(audio), unit(recording)

    return embed


def evaluate(tracks: Sequence[LabelledTrack], embed: Embed, augment: Augmenter, *, seed: int = 7) -> Figures:
    """Measure on held-out tracks; each is queried once per condition, with the same ten seconds in all of them."""
    rng = np.random.default_rng(seed)
    starts = [int(rng.integers(max(1, len(track.sound) - QUERY_SAMPLES))) for track in tracks]
    families = np.array([track.family for track in tracks])
    catalogue = np.stack([unit(track.targets.mean(axis=0)) for track in tracks])
    known = [embed(every(track, RECORDING_HOP_SAMPLES))[1] for track in tracks]
    retrieval, recording = {}, {}
    for name, strength in CONDITIONS.items():
        answers = [_query(track, start, embed, augment, strength, seed + number)
                   for number, (track, start) in enumerate(zip(tracks, starts, strict=True))]
        queries = np.stack([unit(audio.mean(axis=0)) for audio, _ in answers])
        retrieval[name] = mean_average_precision(queries @ catalogue.T, families)
        recording[name] = float(np.mean([identify(windows, known) == number
                                         for number, (_, windows) in enumerate(answers)]))
    own = np.stack([unit(_labelled_near(track, start).mean(axis=0))
                    for track, start in zip(tracks, starts, strict=True)])
    return Figures(len(tracks), _cosine(tracks, embed), mean_average_precision(own @ catalogue.T, families),
                   _chance(families), retrieval, recording)


def every(track: LabelledTrack, hop_samples: int) -> np.ndarray:
    """Windows of a track at a hop: int16 (windows, 48240)."""
    return np.lib.stride_tricks.sliding_window_view(track.sound, WINDOW_SAMPLES)[::hop_samples]


def mean_average_precision(similarity: np.ndarray, families: np.ndarray) -> float:
    """Of each track's ranking of all others, where those of its own family count as found.

    ``similarity`` (tracks, tracks): queries by catalogue. Tracks without relatives ask nothing.
    """
    precisions = []
    for number, row in enumerate(similarity):
        order = np.argsort(-row, kind="stable")
        found = families[order[order != number]] == families[number]
        if found.any():
            ranks = np.flatnonzero(found) + 1
            precisions.append(np.mean(np.arange(1, len(ranks) + 1) / ranks))
    return float(np.mean(precisions)) if precisions else float("nan")


def identify(windows: np.ndarray, known: Sequence[np.ndarray]) -> int:
    """The recording whose best windows agree most: mean over query windows of the best window of each."""
    return int(np.argmax([(windows @ vectors.T).max(axis=1).mean() for vectors in known]))


def _query(track: LabelledTrack, start: int, embed: Embed, augment: Augmenter, strength: Strength, seed: int
           ) -> tuple[np.ndarray, np.ndarray]:
    """A device hears ten seconds: one room, one noise, windows every second."""
    last = min(start + QUERY_SAMPLES, len(track.sound)) - WINDOW_SAMPLES
    spans = [track.span(at) for at in range(min(start, last), last + 1, RECORDING_HOP_SAMPLES)]
    heard = [augment(one[np.newaxis], strength, np.random.default_rng(seed)) for one in spans]
    return embed(torch.cat(heard).numpy())


def _labelled_near(track: LabelledTrack, start: int) -> np.ndarray:
    """The teacher's vectors of the windows in the ten seconds of a query; at least one."""
    first = min(round(start / HOP_SAMPLES), len(track.targets) - 1)
    return track.targets[first : first + QUERY_SAMPLES // HOP_SAMPLES]


def _cosine(tracks: Sequence[LabelledTrack], embed: Embed) -> float:
    cosines = [(embed(every(track, HOP_SAMPLES))[0] * track.targets).sum(axis=1) for track in tracks]
    return float(np.concatenate(cosines).mean())


def _chance(families: np.ndarray) -> float:
    shares = [(families == family).sum() - 1 for family in families]
    return float(np.mean([share / (len(families) - 1) for share in shares if share]))
