"""Learning to rank: from lists of candidates of which some were wanted to a ranker for the device.

Listwise softmax cross-entropy (Cao et al. 2007, ListNet, top one): the wanted candidates of a list share the target.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from edge.errors import ExportError
from edge.recommend.feature_names import NAMES
from edge.recommend.ranker import FORMAT_VERSION, Ranker
from export.models.ranker import RankerModel, to_device


@dataclass(frozen=True)
class RankingList:
    """One list: ``values`` float32 (candidates, features) and ``wanted`` bool (candidates,), at least one of them."""

    values: np.ndarray
    wanted: np.ndarray


@dataclass(frozen=True)
class Options:
    hidden: int = 16
    """Units of the network; 0 for a linear ranker."""
    models: int = 2
    """So many are trained from different seeds and averaged."""
    epochs: int = 15
    batch_lists: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    seed: int = 0


def train(lists: list[RankingList], options: Options | None = None) -> Ranker:
    """Train a ranker. Raises ExportError when there is no list to learn from."""
    options = options or Options()
    usable = [one for one in lists if one.wanted.any() and not one.wanted.all()]
    if not usable:
        raise ExportError("no list has both wanted and unwanted candidates; the ranker cannot be trained")
    values = torch.from_numpy(_padded([one.values for one in usable]))
    wanted = torch.from_numpy(_padded([one.wanted[:, np.newaxis].astype(np.float32) for one in usable])[..., 0])
    there = torch.from_numpy(_padded([np.ones((len(one.values), 1), np.float32) for one in usable])[..., 0] > 0)
    stacked = np.concatenate([one.values for one in usable])
    scale = np.where(stacked.std(axis=0) > 1e-6, stacked.std(axis=0), 1.0)
    models = []
    for number in range(options.models):
        torch.manual_seed(options.seed * 1000 + number)
        model = RankerModel(mean=stacked.mean(axis=0), scale=scale, hidden=options.hidden)
        _descend(model, values, wanted / wanted.sum(dim=1, keepdim=True), there, options)
        models.append(model)
    return to_device(models)


def _descend(
    model: RankerModel, values: torch.Tensor, target: torch.Tensor, there: torch.Tensor, options: Options
) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay)
    steps = options.epochs * -(-len(values) // options.batch_lists)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=steps)
    for _ in range(options.epochs):
        for batch in torch.randperm(len(values)).split(options.batch_lists):
            scores = model(values[batch]).masked_fill(~there[batch], -1e9)
            loss = -(torch.log_softmax(scores, dim=1) * target[batch]).sum(dim=1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


def document(ranker: Ranker) -> dict:
    """The ranker as the JSON that edge/recommend/ranker.py reads."""
    hidden = ranker.hidden
    return {
        "format": FORMAT_VERSION,
        "features": list(NAMES),
        "linear": _rounded(ranker.linear),
        "bias": round(float(ranker.bias), 6),
        "mean": _rounded(ranker.mean),
        "scale": _rounded(ranker.scale),
        "hidden": None if hidden is None else {"weights": _rounded(hidden.weights), "bias": _rounded(hidden.bias),
                                               "output": _rounded(hidden.output)},
    }  # fmt: skip


def write_ranker(path: Path, ranker: Ranker) -> None:
    path.write_text(json.dumps(document(ranker)) + "\n", encoding="utf-8")


def _rounded(values: np.ndarray) -> list:
    """Seven digits are what float32 holds."""
    return json.loads(json.dumps(np.round(np.asarray(values, np.float64), 7).tolist()))


def _padded(arrays: list[np.ndarray]) -> np.ndarray:
    """(lists, longest, columns), zeros behind the shorter ones."""
    longest = max(len(array) for array in arrays)
    result = np.zeros((len(arrays), longest, arrays[0].shape[1]), np.float32)
    for row, array in enumerate(arrays):
        result[row, : len(array)] = array
    return result
