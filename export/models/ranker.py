"""The ranker as a PyTorch module: a linear part that can be read and a small network on top of it."""

import numpy as np
import torch
from torch import nn

from edge.recommend.feature_names import NAMES
from edge.recommend.ranker import Hidden, Ranker


class RankerModel(nn.Module):
    """score = x . linear + bias + relu(x . W + b) . v, for standardised features x (edge/recommend/ranker.py)."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, *, mean: np.ndarray, scale: np.ndarray, hidden: int = 32):
        """``mean`` and ``scale``: (features,), of the training lists; ``hidden`` units, 0 for a linear ranker."""
        super().__init__()
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32))
        self.register_buffer("scale", torch.as_tensor(scale, dtype=torch.float32))
        self.linear = nn.Linear(len(mean), 1)
        self.hidden = nn.Linear(len(mean), hidden) if hidden else None
        self.output = nn.Linear(hidden, 1, bias=False) if hidden else None
        if self.output is not None:
            nn.init.normal_(self.output.weight, std=0.05)  # starts nearly linear

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """float32 (..., features) -> scores float32 (...)."""
        x = (features - self.mean) / self.scale
        scores = self.linear(x)
        if self.hidden is not None and self.output is not None:
            scores = scores + self.output(torch.relu(self.hidden(x)))
        return scores.squeeze(-1)


def to_device(models: list[RankerModel]) -> Ranker:
    """One ranker that scores by the mean of several models of the same features: their hidden units side by side."""
    share = 1.0 / len(models)
    layers = [(model.hidden, model.output) for model in models if model.hidden is not None]
    hidden = None
    if layers:
        hidden = Hidden(
            weights=np.concatenate([_array(layer.weight).T for layer, _ in layers], axis=1),
            bias=np.concatenate([_array(layer.bias) for layer, _ in layers]),
            output=np.concatenate([_array(output.weight)[0] * share for _, output in layers if output is not None]),
        )
    return Ranker(
        linear=sum(_array(model.linear.weight)[0] for model in models) * np.float32(share),
        bias=float(sum(model.linear.bias.item() for model in models) * share),
        mean=_array(models[0].mean),
        scale=_array(models[0].scale),
        hidden=hidden,
    )


def factory(hidden: int = 32) -> RankerModel:
    """An untrained ranker of this version's features."""
    width = len(NAMES)
    return RankerModel(mean=np.zeros(width), scale=np.ones(width), hidden=hidden)


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().numpy().astype(np.float32)
