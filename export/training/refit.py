"""The head of the audio view, fitted anew in closed form when the network under it is trained.

Gradient steps leave it where rooms, noise and the other heads pull. Of the clean windows that the teacher labelled,
the best linear map is known: ridge regression from the features to the teacher's unit vectors.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

RIDGE = 300.0


@torch.no_grad()
def refit(head: nn.Linear, batches: Iterable[tuple[Tensor, Tensor]], *, ridge: float = RIDGE) -> None:
    """Set the weights and the bias of ``head``, in place.

    ``batches``: features float (n, inputs) and what is wanted of them, float (n, outputs). ``ridge`` counts as so many
    windows: it is the penalty of the squared weights of standardised features (Hoerl and Kennard, 1970). Features that
    never change get no weight.
    """
    size, outputs = head.in_features, head.out_features
    gram, wanted, n = torch.zeros(size + 1, size + 1).double(), torch.zeros(size + 1, outputs).double(), 0
    for features, targets in batches:
        x = torch.cat([features, torch.ones(len(features), 1)], dim=1).double()
        gram += x.T @ x
        wanted += x.T @ targets.double()
        n += len(features)
    mean = gram[-1, :-1] / n
    covariance = gram[:-1, :-1] / n - torch.outer(mean, mean)
    cross = wanted[:-1] / n - torch.outer(mean, wanted[-1] / n)
    deviation = covariance.diagonal().clamp_min(0).sqrt()
    scale = torch.where(deviation > 1e-6, 1 / deviation, 0.0)
    standard = scale[:, None] * covariance * scale + ridge / n * torch.eye(size).double()
    weight = scale[:, None] * torch.linalg.solve(standard, scale[:, None] * cross)
    head.weight.copy_(weight.T)
    head.bias.copy_(wanted[-1] / n - mean @ weight)
