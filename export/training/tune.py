"""The head of the audio view once more: what lands where the teacher does is to find what is alike, too.

The teacher's catalogue stays as it is. A linear head on the features of a trained network can learn which directions
tell artists and albums apart, and leave out those in which windows of one album differ; of packages that nothing was
trained on it then finds more than what lands nearest to the teacher (docs/models.md).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from export.training.losses import distillation_loss
from export.training.shelf import Shelf

STEPS, QUERIES, LEARNING_RATE, WEIGHT_DECAY = 600, 256, 2e-4, 1e-4
RETRIEVAL, DROPOUT = 0.2, 0.3
"""The weight of the retrieval loss, beside 1 of the distillation, and the share of the features a step does not see."""

Windows = tuple[Tensor, Tensor]
"""Pooled features, float32 (n, features), and what the teacher says of the same windows: unit vectors (n, 64)."""


def tune(head: nn.Linear, tracks: Sequence[Windows], shelf: Shelf, *, seed: int) -> None:
    """Train ``head`` in place from where it is, on windows of all tracks alike; ``shelf`` holds these tracks in their
    order."""
    generator = torch.Generator().manual_seed(seed)
    standard = _Standardised(head, torch.cat([features for features, _ in tracks]))
    optimizer = torch.optim.AdamW(standard.head.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        track = torch.randint(len(tracks), (QUERIES,), generator=generator)
        features, targets = _windows(tracks, track, generator)
        said = standard.head(_dropped(standard(features), generator))
        loss = distillation_loss(said, targets) + RETRIEVAL * shelf.retrieval_loss(said, track)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    standard.fold_into(head)


class _Standardised:
    """``head`` as a layer of standardised features, so that one learning rate serves them all."""

    def __init__(self, head: nn.Linear, features: Tensor):
        self._mean, deviation = features.mean(dim=0), features.std(dim=0)
        self._scale = torch.where(deviation > 1e-6, 1 / deviation, 0.0)
        self.head = nn.Linear(head.in_features, head.out_features)
        with torch.no_grad():
            self.head.weight.copy_(head.weight * deviation)
            self.head.bias.copy_(head(self._mean))

    def __call__(self, features: Tensor) -> Tensor:
        return (features - self._mean) * self._scale

    @torch.no_grad()
    def fold_into(self, head: nn.Linear) -> None:
        head.weight.copy_(self.head.weight * self._scale)
        head.bias.copy_(self.head.bias - head.weight @ self._mean)


def _windows(tracks: Sequence[Windows], chosen: Tensor, generator: torch.Generator) -> Windows:
    """One window of each track that was chosen."""
    shares = torch.rand(len(chosen), generator=generator).tolist()
    picked = [(tracks[number], share) for number, share in zip(chosen.tolist(), shares, strict=True)]
    rows = [(track, int(share * len(track[0]))) for track, share in picked]
    return torch.stack([track[0][row] for track, row in rows]), torch.stack([track[1][row] for track, row in rows])


def _dropped(features: Tensor, generator: torch.Generator) -> Tensor:
    kept = torch.rand(features.shape, generator=generator) >= DROPOUT
    return features * kept / (1 - DROPOUT)
