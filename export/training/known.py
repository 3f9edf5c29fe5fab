"""Held-out tracks as a catalogue holds them, and ten seconds of them as a device hears them.

Which recording is it? Ten seconds from anywhere in a track ask the windows of all tracks, in their order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from edge.catalog.alignment import aligned_scores
from edge.context import unit
from export.catalog.copies import LEAST_CENTRE, same_recording
from export.catalog.embed import RENDITIONS
from export.catalog.vectors import as_stored
from export.catalog.worn import worn
from export.training.augment import Augmenter, Strength
from export.training.corpus import LabelledTrack
from export.training.frontend import WINDOW_SAMPLES
from export.training.passages import holds
from export.training.retrieval import Match

QUERY_SAMPLES = 160_000
RECORDING_HOP_SAMPLES = 16_000
SILENT_PEAK = 3
"""-80 dBFS in int16."""
LISTENED = 0.6
"""Tracks that score less are not asked whether they hold the same passage: they are never named."""
Embed = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Windows float32 (n, 48240) -> unit vectors of the audio and the recording view, (n, 64) each."""


@dataclass(frozen=True)
class Query:
    """Ten seconds of a track, from a sample on, as they were heard: the windows' vectors, (windows, 64) each."""

    track: int
    start: int
    audio: np.ndarray
    recording: np.ndarray


def heard(track: LabelledTrack, start: int, augment: Augmenter, strength: Strength, seed: int) -> np.ndarray:
    """What a device hears of ten seconds: one room, one noise; windows every second, float32 (windows, 48240)."""
    sound = track.stretch(start, QUERY_SAMPLES)
    whole = augment(torch.from_numpy(sound[None].astype(np.float32)), strength,
                    np.random.default_rng(seed))[0].numpy()
    return _windows(whole, RECORDING_HOP_SAMPLES)


def queries(tracks: Sequence[LabelledTrack], asked: Sequence[int], embed: Embed, augment: Augmenter,
            strength: Strength, *, seed: int) -> list[Query]:
    """A query of every asked track, at a place that depends on the seed alone."""
    found = []
    for number in asked:
        at = np.random.default_rng((seed, number))
        start = int(at.integers(max(1, len(tracks[number].sound) - QUERY_SAMPLES)))
        windows = heard(tracks[number], start, augment, strength, int(at.integers(1 << 31)))
        found.append(Query(number, start, *embed(windows)))
    return found


class Known:
    """A catalogue of the student's own windows, one a second, as rooms make them too (export/catalog/worn.py)."""

    def __init__(self, tracks: Sequence[LabelledTrack], embed: Embed):
        windows = [_in_rooms(track, embed) for track in tracks]
        self._tracks = tracks
        self._held: dict[tuple[int, int, int], bool] = {}
        self._vectors = np.concatenate(windows)
        self._starts = np.cumsum([0, *(len(part) for part in windows)])
        self._same = _copies([as_stored(part) for part in windows])

    def scores(self, windows: np.ndarray) -> np.ndarray:
        """How well windows (n, 64), a second apart, fit each track, as the device has it: float32 (tracks,)."""
        return aligned_scores(self._vectors @ windows.T, self._starts, np.arange(len(windows)))

    def matches(self, answers: Sequence[Query]) -> list[Match]:
        """Copies of one recording count as one, and whatever holds the ten seconds themselves is right too. Where a
        window is silent, nothing is asked: a device leaves it out."""
        found = []
        for query in answers:
            if not _audible(self._passage(query)):
                continue
            scores, right = self.scores(query.recording), self._same[query.track].copy()
            for other in np.flatnonzero(~right & (scores >= LISTENED)).tolist():
                right[other] = self._holds(other, query)
            others = np.sort(scores[~right])
            found.append(Match(float(scores[right].max()), float(others[-1]), float(others[-2])))
        return found

    def _holds(self, other: int, query: Query) -> bool:
        asked = (other, query.track, query.start)
        if asked not in self._held:
            self._held[asked] = holds(self._tracks[other].sound, self._passage(query))
        return self._held[asked]

    def _passage(self, query: Query) -> np.ndarray:
        return self._tracks[query.track].sound[query.start : query.start + QUERY_SAMPLES]


def _in_rooms(track: LabelledTrack, embed: Embed) -> np.ndarray:
    """What a catalogue holds of a track: unit vectors float32 (windows, 64)."""
    total = embed(every(track, RECORDING_HOP_SAMPLES))[1]
    for first, piece in worn(track.sound, RENDITIONS):
        part = embed(_windows(piece, RECORDING_HOP_SAMPLES))[1]
        total[first : first + len(part)] += part
    return unit(total)


def _audible(sound: np.ndarray) -> bool:
    """Whether every window of it is above the device's gate, by its loudest sample."""
    windows = _windows(sound, RECORDING_HOP_SAMPLES)
    return bool((np.abs(windows.astype(np.int32)).max(axis=1) > SILENT_PEAK).all())


def calibrate(matches: Sequence[Match], *, false_matches: float) -> float:
    """The least sureness that names at most this share of queries whose recordings are not in the catalogue."""
    others = np.sort([match.sureness_without for match in matches])
    allowed = int(len(others) * false_matches)
    return float(np.nextafter(others[len(others) - 1 - allowed], 2.0))


def _copies(windows: list[np.ndarray]) -> np.ndarray:
    """Which tracks are the same recording: bool (tracks, tracks)."""
    centres = unit(np.stack([part.mean(axis=0) for part in windows]))
    same = np.eye(len(windows), dtype=bool)
    for one, other in np.argwhere(np.triu(centres @ centres.T > LEAST_CENTRE, 1)).tolist():
        same[one, other] = same[other, one] = same_recording(windows[one], windows[other])
    return same


def every(track: LabelledTrack, hop_samples: int) -> np.ndarray:
    """Windows of a track at a hop: int16 (windows, 48240)."""
    return _windows(track.sound, hop_samples)


def _windows(sound: np.ndarray, hop_samples: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(sound, WINDOW_SAMPLES)[::hop_samples]
