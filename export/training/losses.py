"""What the student is asked for: to land where the teacher does, and to know a recording again."""

import torch
import torch.nn.functional as F
from torch import Tensor


def distillation_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean of 1 - cosine between student (n, d) and the teacher's unit vectors (n, d)."""
    return (1 - F.cosine_similarity(student, teacher)).mean()


def two_view_distillation_loss(light: Tensor, heavy: Tensor, teacher: Tensor) -> Tensor:
    """The same of two views; what was heard nearly clean counts twice, for a room hides what the teacher heard."""
    return (2 * distillation_loss(light, teacher) + distillation_loss(heavy, teacher)) / 3


def relation_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared difference between the two cosine matrices of a batch (Park et al., CVPR 2019, in cosines).

    Retrieval depends on who is nearer to whom, which a loss on each vector alone does not see.
    """
    student, teacher = F.normalize(student), F.normalize(teacher)
    return (student @ student.T - teacher @ teacher.T).square().mean()


def contrastive_loss(first: Tensor, second: Tensor, track: Tensor, temperature: float) -> Tensor:
    """NT-Xent (Chen et al., ICML 2020) over two views (n, d) of n windows; ``track`` (n,) is what each is of.

    Another window of the same track is neither a positive nor a negative: it is left out.
    """
    vectors = F.normalize(torch.cat([first, second]))
    logits = vectors @ vectors.T / temperature
    n = len(first)
    rows = torch.arange(2 * n)
    positive = rows.roll(n)
    heard = track.repeat(2)
    same_track = heard[:, None] == heard[None]
    same_track[rows, positive] = False
    return F.cross_entropy(logits.masked_fill(same_track, float("-inf")), positive)
