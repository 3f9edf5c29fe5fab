"""Batches of two views of the same moments of different tracks. Batch ``step`` is the same in every run."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from edge.errors import ExportError
from export.data.corpus import Recording
from export.teachers.labels import HOP_SAMPLES
from export.training.augment import HEAVY, LEAD_SAMPLES, LIGHT, SPAN_SAMPLES, Augmenter
from export.training.frontend import WINDOW_SAMPLES, BatchFrontEnd, Standard

JITTER_SAMPLES = 6_400
"""A view starts up to 0.4 s off the window that the teacher labelled."""
SHIFT_SAMPLES = 9_600
"""The second view starts up to 0.6 s off the first: a device does not know where the catalogue's windows start."""


@dataclass(frozen=True)
class Batch:
    """``mfcc`` (2, n, 300, 20) of two views; ``target`` (n, 64), the teacher's unit vectors; ``track`` (n,)."""

    mfcc: Tensor
    target: Tensor
    track: Tensor


class BatchMaker:
    """Draws tracks evenly, a window of each at random. ``targets`` has (windows, 64) per recording."""

    def __init__(self, recordings: Sequence[Recording], targets: Sequence[np.ndarray], *, front_end: BatchFrontEnd,
                 standard: Standard, augment: Augmenter, batch_size: int, seed: int):
        self._kept = [index for index, target in enumerate(targets) if len(target)]
        if len(self._kept) < 2:
            raise ExportError(f"{len(self._kept)} tracks of at least one window: training needs two or more")
        self._recordings, self._targets = recordings, targets
        self._front_end, self._standard, self._augment = front_end, standard, augment
        self._size, self._seed = min(batch_size, len(self._kept)), seed

    def stream(self, first: int, last: int) -> Iterator[Batch]:
        """Batches first..last - 1; the next one is made while the caller works on this one."""
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(self.make, first)
            for step in range(first, last):
                batch = coming.result()
                coming = pool.submit(self.make, step + 1)
                yield batch

    def make(self, step: int) -> Batch:
        rng = np.random.default_rng((self._seed, step))
        tracks = rng.choice(self._kept, self._size, replace=False)
        windows = np.array([rng.integers(len(self._targets[track])) for track in tracks])
        first = windows * HOP_SAMPLES + rng.integers(-JITTER_SAMPLES, JITTER_SAMPLES + 1, self._size)
        second = first + rng.integers(-SHIFT_SAMPLES, SHIFT_SAMPLES + 1, self._size)
        views = [self._view(tracks, first, LIGHT, rng), self._view(tracks, second, HEAVY, rng)]
        target = np.stack([self._targets[track][window] for track, window in zip(tracks, windows, strict=True)])
        return Batch(torch.stack(views), torch.from_numpy(target), torch.from_numpy(tracks))

    def _view(self, tracks: np.ndarray, starts: np.ndarray, strength, rng: np.random.Generator) -> Tensor:
        spans = np.stack([span(self._recordings[track].sound, start)
                          for track, start in zip(tracks, starts, strict=True)])
        return self._front_end.standardised(self._augment(spans, strength, rng), self._standard)


def span(sound: np.ndarray, start: int) -> np.ndarray:
    """The window from ``start`` with its lead-in, int16 (57600,); silence before a track, never beyond its end."""
    start = int(np.clip(start, 0, len(sound) - WINDOW_SAMPLES))
    lead = sound[max(0, start - LEAD_SAMPLES) : start]
    joined = np.zeros(SPAN_SAMPLES, np.int16)
    joined[LEAD_SAMPLES - len(lead) : LEAD_SAMPLES] = lead
    joined[LEAD_SAMPLES:] = sound[start : start + WINDOW_SAMPLES]
    return joined
