"""A recording as rooms make it: piece after piece through simulated rooms, loudspeakers, band limits and noise.

A catalogue that knows a track only as it was mastered knows it as no microphone hears it. The mean of what the student
makes of a window clean and through several rooms lies nearer to what it makes of it through the next room, and the
device pays nothing for that. What happens to a piece depends on its place in the track alone, so that every build
gives the same.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import torch

from edge.context import Embedding, unit
from export.training.augment import HEAVY, LEAD_SAMPLES, Augmenter, RoomBank
from export.training.frontend import WINDOW_SAMPLES

ROOMS, SEED = 32, 7
HOP_SAMPLES = 16_000
SPAN_SAMPLES = 345_600
"""Of one piece with its lead-in: 2^9 x 3^3 x 5^2, a length that FFTs like."""
PIECE_SAMPLES = SPAN_SAMPLES - LEAD_SAMPLES
WINDOWS = 1 + (PIECE_SAMPLES - WINDOW_SAMPLES) // HOP_SAMPLES
"""Windows that begin in a piece, one a second; the next piece begins with the next window."""


def in_rooms(sound: np.ndarray, clean: Sequence[Embedding], view: str,
             embed: Callable[[np.ndarray], Sequence[Embedding]], *, renditions: int) -> list[Embedding]:
    """Windows whose vectors of ``view`` are the means of the clean ones and of so many renditions, scaled to length 1.

    ``clean`` is what ``embed`` gave of the sound; windows that are silent there stay left out.
    """
    total = {round(window.start_s): window.vectors[view].copy() for window in clean}
    for first, piece in worn(sound, renditions):
        for window in embed(piece):
            at = first + round(window.start_s)
            if at in total:
                total[at] += window.vectors[view]
    return [replace(window, vectors={**window.vectors, view: unit(total[round(window.start_s)])}) for window in clean]


def worn(sound: np.ndarray, renditions: int) -> Iterator[tuple[int, np.ndarray]]:
    """Every piece of a sound, so many times.

    np.ndarray [shape=(n,), dtype=int16] at 16 kHz -> the number of its first window, and its sound, int16 of at most
    PIECE_SAMPLES.
    """
    windows = 1 + max(0, len(sound) - WINDOW_SAMPLES) // HOP_SAMPLES
    for first in range(0, windows, WINDOWS):
        span, length = _span(sound, first * HOP_SAMPLES)
        for rendition in range(renditions):
            rng = np.random.default_rng((SEED, first, rendition))
            heard = _augmenter()(span, HEAVY, rng)[0]
            yield first, heard[:length].numpy().astype(np.int16)


def _span(sound: np.ndarray, start: int) -> tuple[torch.Tensor, int]:
    """A piece and what comes before it, padded with silence: float32 (1, SPAN_SAMPLES); and how long the piece is."""
    span = np.zeros((1, SPAN_SAMPLES), np.float32)
    before, piece = sound[max(0, start - LEAD_SAMPLES) : start], sound[start : start + PIECE_SAMPLES]
    span[0, LEAD_SAMPLES - len(before) : LEAD_SAMPLES] = before
    span[0, LEAD_SAMPLES : LEAD_SAMPLES + len(piece)] = piece
    return torch.from_numpy(span), len(piece)


@cache
def _augmenter() -> Augmenter:
    """Of nobody's voice: a catalogue is built where no recordings of speech are at hand."""
    return Augmenter(RoomBank(ROOMS, SEED), np.empty(0, np.int16))
