"""What a query is to find on the shelf, on cases that can be worked out by hand."""

import math

import numpy as np
import pytest
import torch

from export.training.corpus import LabelledTrack
from export.training.shelf import TEMPERATURE, Shelf

AXES = np.eye(64, dtype=np.float32)


def track(name, family, *targets):
    tags = np.zeros((len(targets), 50), np.float32)
    return LabelledTrack(name, family, np.zeros(1, np.int16), np.stack(targets), tags)


@pytest.fixture
def shelf():
    """Two of one artist, one of them at another speed too, and one of another's."""
    return Shelf([track("p/a", "one", AXES[0]), track("p/b", "one", AXES[1]), track("p/c", "two", AXES[2]),
                  track("p/a@0.87", "one", AXES[3])])


def by_hand(query, wanted, unwanted):
    total = sum(math.exp(query[axis] / TEMPERATURE) for axis in (*wanted, *unwanted))
    return -sum(math.log(math.exp(query[axis] / TEMPERATURE) / total) for axis in wanted) / len(wanted)


def test_a_track_is_the_mean_of_its_windows():
    vectors = Shelf([track("p/a", "one", AXES[0], AXES[1])]).vectors
    assert vectors[0, :3].tolist() == pytest.approx([0.5**0.5, 0.5**0.5, 0])


def test_relatives_are_wanted_and_the_track_itself_at_any_speed_does_not_count(shelf):
    query = 3 * (0.6 * AXES[1] + 0.8 * AXES[2])
    loss = shelf.retrieval_loss(torch.from_numpy(query[None]), torch.tensor([0]))
    assert float(loss) == pytest.approx(by_hand(query / 3, wanted=[1], unwanted=[2]), rel=1e-5)


def test_all_relatives_are_wanted_alike(shelf):
    query = 0.6 * AXES[0] + 0.8 * AXES[2]
    loss = shelf.retrieval_loss(torch.from_numpy(query[None]), torch.tensor([1]))
    assert float(loss) == pytest.approx(by_hand(query, wanted=[0, 3], unwanted=[2]), rel=1e-5)


def test_a_query_without_relatives_neither_counts_nor_breaks_the_gradient(shelf):
    queries = torch.from_numpy(np.stack([AXES[1], AXES[5]])).requires_grad_()
    both = shelf.retrieval_loss(queries, torch.tensor([0, 2]))
    assert float(both.detach()) == pytest.approx(
        float(shelf.retrieval_loss(queries[:1], torch.tensor([0])).detach()))
    both.backward()
    assert queries.grad is not None
    assert queries.grad.isfinite().all()
    assert queries.grad[1].abs().max() == 0
