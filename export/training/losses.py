"""What the two heads are taught."""

import torch
import torch.nn.functional as F
from torch import Tensor

TEMPERATURE = 0.1
LENGTH_WEIGHT = 0.02


def distillation(embedded: Tensor, target: Tensor) -> Tensor:
    """One minus the cosine to the teacher's unit vectors, both (n, 64).

    A small pull towards length 1 keeps the head's range narrow, which int8 needs.
    """
    away = 1 - F.cosine_similarity(embedded, target, dim=1)
    return (away + LENGTH_WEIGHT * (embedded.norm(dim=1) - 1).square()).mean()


def contrastive(first: Tensor, second: Tensor, track: Tensor, *, temperature: float = TEMPERATURE) -> Tensor:
    """NT-Xent (Chen et al., SimCLR, ICML 2020) of two views (n, 64); windows of one track are no negatives.

    ``track`` (n,) says which track each row comes from.
    """
    rows = len(first)
    unit = F.normalize(torch.cat([first, second]), dim=1)
    logits = unit @ unit.T / temperature
    partner = torch.arange(2 * rows).roll(rows)
    same = torch.cat([track, track])
    hidden = same[:, None] == same[None, :]
    hidden[torch.arange(2 * rows), partner] = False
    loss = F.cross_entropy(logits.masked_fill(hidden, -torch.inf), partner)
    lengths = torch.cat([first, second]).norm(dim=1)
    return loss + LENGTH_WEIGHT * (lengths - 1).square().mean()
