"""The training tracks as a catalogue holds them, to be found by what is like them."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from edge.context import unit
from export.training.corpus import LabelledTrack
from export.training.speeds import source_of

TEMPERATURE = 0.1


class Shelf:
    """One vector of the teacher's for each track: the mean of its windows, unit length."""

    def __init__(self, tracks: Sequence[LabelledTrack]):
        self.vectors = torch.from_numpy(np.stack([unit(track.targets.mean(axis=0)) for track in tracks]))
        self._family = _numbered([track.family for track in tracks])
        self._source = _numbered([source_of(track.id) for track in tracks])

    def retrieval_loss(self, queries: Tensor, track: Tensor) -> Tensor:
        """Cross entropy of finding tracks of the same artist or album, float (); ``queries`` (n, 64) are of the tracks
        ``track`` (n,).

        All relatives of a query's track are wanted alike (the outer sum of Khosla et al., "Supervised Contrastive
        Learning", 2020). The track itself, at whatever speed, is neither wanted nor unwanted. Queries of tracks without
        relatives do not count.
        """
        own = self._source[track][:, None] == self._source
        wanted = (self._family[track][:, None] == self._family) & ~own
        asking = wanted.any(dim=1)
        likeness = F.normalize(queries) @ self.vectors.T / TEMPERATURE
        found = likeness.masked_fill(own, float("-inf")).log_softmax(dim=1).masked_fill(~wanted, 0.0)
        each = -found.sum(dim=1) / wanted.sum(dim=1).clamp_min(1)
        return (each * asking).sum() / asking.sum().clamp_min(1)


def _numbered(names: Sequence[str]) -> Tensor:
    """Equal names, equal numbers: long (n,)."""
    return torch.from_numpy(np.unique(names, return_inverse=True)[1])
