"""How well the student hears, on tracks of packages that it never met.

Three questions: how near its vectors come to the teacher's, how well a query of the student finds tracks of the
same artist or album among the teacher's vectors, and how often ten seconds from anywhere name the recording.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from edge.context import unit
from edge.engine.base import Engine
from export.models.audio import AudioStudent
from export.quantize.parity import embed_all
from export.teachers.labels import HOP_SAMPLES
from export.training.augment import Augmenter, Strength
from export.training.corpus import LabelledTrack
from export.training.frontend import BatchFrontEnd, Standard
from export.training.known import QUERY_SAMPLES, Embed, Known, Query, every, queries
from export.training.retrieval import BySureness, by_sureness, mean_average_precision, precision_by_recall

BATCH_WINDOWS = 8
"""Few enough to stay in a processor's cache."""
PLACES = 4
"""Which recording it is, is asked at so many places of each track; what sounds alike, at the first of them."""
CLEAN = Strength(room=0.0, loudspeaker=0.0, band=0.0, noise=0.0, voice=0.0, level_db=(-12.0, -12.0), talkers=1)
NOISY = replace(CLEAN, noise=1.0, noise_db=(10.0, 10.0))
CONDITIONS = {
    "clean": CLEAN,
    "room": replace(CLEAN, room=1.0),
    "noise 10 dB": NOISY,
    "room, noise 10 dB": replace(NOISY, room=1.0),
    "speech 10 dB": replace(CLEAN, voice=1.0, voice_db=(10.0, 10.0)),
    "telephone band": replace(CLEAN, rate=1.0, rate_low_pass_hz=(3_400.0, 3_400.0)),
}
"""What a query goes through."""
CURVES = ("precision", "teacher_precision", "by_sureness")
"""Of the Figures, what is drawn and not printed."""


@dataclass(frozen=True)
class Figures:
    """``retrieval``, ``recording``, ``named`` and ``false_matches`` have one number per condition."""

    tracks: int
    queries: int
    cosine: float
    """Mean cosine between student and teacher, window by window, clean."""
    teacher_retrieval: dict[str, float]
    """Mean average precision of the teacher's own queries, through the same."""
    chance_retrieval: float
    """Mean share of a query's relatives among the other tracks."""
    retrieval: dict[str, float]
    recording: dict[str, float]
    """Share of queries whose best match is the right track."""
    least_sureness: float
    named: dict[str, float]
    """Share of queries that are named, and rightly, when a match less sure than ``least_sureness`` is none."""
    false_matches: dict[str, float]
    """Share of queries that are named when their track is taken out of the catalogue."""
    precision: dict[str, list[float]]
    """At each of retrieval.RECALLS."""
    teacher_precision: dict[str, list[float]]
    by_sureness: dict[str, BySureness]

    def document(self) -> dict[str, Any]:
        """Without the curves, which page.py draws."""
        return {name: value for name, value in vars(self).items() if name not in CURVES}


def embedder(student: AudioStudent, front_end: BatchFrontEnd, standard: Standard) -> Embed:
    """The float student behind its front end."""

    @torch.no_grad()
    def embed(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        parts = [student(front_end.standardised(part, standard))[:2]
                 for part in torch.from_numpy(windows.astype(np.float32)).split(BATCH_WINDOWS)]
        audio, recording = (torch.cat(column).numpy() for column in zip(*parts, strict=True))
        return unit(audio), unit(recording)

    return embed


def engine_embedder(engine: Engine, front_end: BatchFrontEnd, standard: Standard) -> Embed:
    """The int8 model, on an engine of the device's, behind the same front end."""

    def embed(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        parts = torch.from_numpy(windows.astype(np.float32)).split(BATCH_WINDOWS)
        inputs = torch.cat([front_end.standardised(part, standard) for part in parts]).numpy()
        audio, recording = embed_all(engine, inputs)[:2]
        return unit(audio), unit(recording)

    return embed


def evaluate(
    tracks: Sequence[LabelledTrack], embed: Embed, augment: Augmenter, *, known: Known, least_sureness: float,
    asked: Sequence[int] | None = None, teacher: Embed | None = None, seed: int = 7,
    conditions: dict[str, Strength] = CONDITIONS, places: int = PLACES,
) -> Figures:
    """Measure on held-out tracks: those of ``asked`` (all by default) are queried, all are ``known``.

    ``teacher`` answers (audio, audio) for windows; without it the teacher's own queries are its stored vectors
    near the place, clean. A track asks the same ten seconds in every condition, and which recording it is from
    ``places`` places in all.
    """
    asked = range(len(tracks)) if asked is None else asked
    families = np.array([track.family for track in tracks])
    catalogue = np.stack([unit(track.targets.mean(axis=0)) for track in tracks])
    similar, own, matches = {}, {}, {}
    for name, strength in conditions.items():
        answers = queries(tracks, asked, embed, augment, strength, seed=seed)
        similar[name] = _similarity(answers, catalogue)
        more = [queries(tracks, asked, embed, augment, strength, seed=seed + place) for place in range(1, places)]
        matches[name] = known.matches([*answers, *(query for part in more for query in part)])
        if teacher is not None:
            own[name] = _similarity(queries(tracks, asked, teacher, augment, strength, seed=seed), catalogue)
    if teacher is None:
        own["clean"] = _stored(tracks, asked, catalogue, seed)

    def of_each(measure: Callable[..., Any], found: dict[str, np.ndarray]) -> dict[str, Any]:
        return {name: measure(similarity, families, asked) for name, similarity in found.items()}

    return Figures(
        tracks=len(tracks), queries=len(asked), cosine=_cosine([tracks[number] for number in asked], embed),
        teacher_retrieval=of_each(mean_average_precision, own), chance_retrieval=_chance(families),
        retrieval=of_each(mean_average_precision, similar), least_sureness=least_sureness,
        recording={name: _share(match.right for match in found) for name, found in matches.items()},
        named={name: _share(match.named(least_sureness) for match in found) for name, found in matches.items()},
        false_matches={name: _share(match.false(least_sureness) for match in found)
                       for name, found in matches.items()},
        precision=of_each(precision_by_recall, similar), teacher_precision=of_each(precision_by_recall, own),
        by_sureness={name: by_sureness(found) for name, found in matches.items()})


def _share(outcomes: Iterable[bool]) -> float:
    return float(np.mean(list(outcomes)))


def _similarity(answers: Sequence[Query], catalogue: np.ndarray) -> np.ndarray:
    """Cosines of queries, each the mean of its windows, and tracks: float32 (queries, tracks)."""
    return np.stack([unit(query.audio.mean(axis=0)) for query in answers]) @ catalogue.T


def _stored(tracks: Sequence[LabelledTrack], asked: Sequence[int], catalogue: np.ndarray, seed: int) -> np.ndarray:
    """The same of the teacher's own queries from its stored windows in the ten seconds of each first query."""
    found = []
    for number in asked:
        targets = tracks[number].targets
        start = int(np.random.default_rng((seed, number)).integers(
            max(1, len(tracks[number].sound) - QUERY_SAMPLES)))
        first = min(round(start / HOP_SAMPLES), len(targets) - 1)
        found.append(unit(targets[first : first + QUERY_SAMPLES // HOP_SAMPLES].mean(axis=0)))
    return np.stack(found) @ catalogue.T


def _cosine(tracks: Sequence[LabelledTrack], embed: Embed) -> float:
    cosines = [(embed(every(track, HOP_SAMPLES))[0] * track.targets).sum(axis=1) for track in tracks]
    return float(np.concatenate(cosines).mean())


def _chance(families: np.ndarray) -> float:
    shares = [(families == family).sum() - 1 for family in families]
    return float(np.mean([share / (len(families) - 1) for share in shares if share]))
