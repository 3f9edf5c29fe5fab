"""Learning to rank: from lists of candidates of which some were wanted to a ranker for the device.

Listwise softmax cross-entropy (Cao et al. 2007, ListNet, top one): the wanted candidates of a list share the target.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from edge.errors import ExportError
from edge.recommend.ranker import Ranker, prior
from export.collaborative.lists import LEAST_SPREAD, RankingList
from export.models.ranker import RankerModel, to_device


@dataclass(frozen=True)
class Options:
    hidden: int = 32
    """Units of the network; 0 for a linear ranker."""
    models: int = 4
    """So many are trained from different seeds and averaged."""
    epochs: int = 15
    batch_lists: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 0.1
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
    scale = np.where(stacked.std(axis=0) > LEAST_SPREAD, stacked.std(axis=0), 1.0)
    models = []
    for number in range(options.models):
        torch.manual_seed(options.seed * 1000 + number)
        model = RankerModel(mean=stacked.mean(axis=0), scale=scale, hidden=options.hidden)
        _descend(model, values, wanted / wanted.sum(dim=1, keepdim=True), there, options)
        models.append(model)
    return _where_taught(to_device(models), stacked.std(axis=0) > LEAST_SPREAD)


def _where_taught(ranker: Ranker, taught: np.ndarray) -> Ranker:
    """The ranker with the prior's weights for the features that never varied in training, bool (features,).

    Ratings say nothing about what is heard or seen in the room; what was assumed of that must outlive the training.
    """
    hidden = ranker.hidden
    return replace(
        ranker,
        linear=np.where(taught, ranker.linear, prior().linear).astype(np.float32),
        hidden=hidden and replace(hidden, weights=hidden.weights * taught[:, np.newaxis]),
    )


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


def _padded(arrays: list[np.ndarray]) -> np.ndarray:
    """(lists, longest, columns), zeros behind the shorter ones."""
    longest = max(len(array) for array in arrays)
    result = np.zeros((len(arrays), longest, arrays[0].shape[1]), np.float32)
    for row, array in enumerate(arrays):
        result[row, : len(array)] = array
    return result
