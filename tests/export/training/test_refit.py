"""The closed form is the regression that it says it is."""

import numpy as np
import torch
from torch import nn

from export.training.refit import refit


def drawn(n=400):
    rng = np.random.default_rng(0)
    features = rng.normal(3, 2, (n, 5)) * [1, 10, 0.1, 1, 0]
    targets = features @ rng.normal(size=(5, 3)) + [1, 2, 3] + rng.normal(0, 0.3, (n, 3))
    return features, targets


def in_batches(features, targets):
    return zip(torch.from_numpy(features).float().split(64), torch.from_numpy(targets).float().split(64), strict=True)


def test_without_a_ridge_it_is_least_squares():
    features, targets = drawn()
    head = nn.Linear(5, 3)
    refit(head, in_batches(features, targets), ridge=1e-6)
    design = np.c_[features[:, :4], np.ones(len(features))]
    wanted = design @ np.linalg.lstsq(design, targets, rcond=None)[0]
    np.testing.assert_allclose(head(torch.from_numpy(features).float()).detach().numpy(), wanted, atol=2e-3)


def test_the_ridge_is_on_standardised_features():
    """A ridge of n halves what an only feature, standardised, explains; in whatever unit it is told."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 1))
    x = (x - x.mean()) / x.std()
    for unit in (1.0, 50.0):
        head = nn.Linear(1, 1)
        refit(head, in_batches(x * unit, 4 * x + 7), ridge=200)
        np.testing.assert_allclose(head.weight.item() * unit, 2, rtol=1e-4)
        np.testing.assert_allclose(head.bias.item(), 7, rtol=1e-4)


def test_a_feature_that_never_changes_gets_no_weight():
    features, targets = drawn()
    head = nn.Linear(5, 3)
    refit(head, in_batches(features, targets))
    assert head.weight[:, 4].abs().max() == 0
