"""The estimates against their formulas, and against the truth, which is known here."""

import numpy as np
import pytest

from edge.recommend.feature_names import NAMES
from edge.recommend.ranker import Ranker
from export.collaborative.lists import RankingList
from export.collaborative.replay import Log, draw, estimates, probabilities, replay, value

pytest.importorskip("obp")


def ranker(**weights: float) -> Ranker:
    linear = np.array([weights.get(name, 0.0) for name in NAMES], np.float32)
    return Ranker(linear, 0.0, np.zeros(len(NAMES), np.float32), np.ones(len(NAMES), np.float32))


@pytest.fixture(scope="module")
def lists():
    """What is heard foretells what is wanted; popularity does not."""
    random = np.random.default_rng(4)
    made = []
    for length in [*range(8, 30)] * 5:
        values = np.zeros((length, len(NAMES)), np.float32)
        values[:, NAMES.index("heard")] = random.normal(size=length)
        values[:, NAMES.index("popularity")] = random.normal(size=length)
        wanted = random.random(length) < 1 / (1 + np.exp(2 - 2 * values[:, NAMES.index("heard")]))
        made.append(RankingList(values, wanted))
    return made


def test_estimates_by_hand():
    log = Log(np.array([0, 1, 1]), np.array([0.5, 0.25, 0.5]), np.array([1.0, 0.0, 1.0]), np.array([0, 0, 1]))
    chances, expected = [np.array([0.2, 0.8]), np.array([0.1, 0.9])], [np.array([0.3, 0.4]), np.array([0.5, 0.6])]
    weights = np.array([0.2 / 0.5, 0.8 / 0.25, 0.9 / 0.5])
    baseline = np.array([0.2 * 0.3 + 0.8 * 0.4, 0.2 * 0.3 + 0.8 * 0.4, 0.1 * 0.5 + 0.9 * 0.6])
    found = estimates(log, chances, expected)
    assert found["ips"] == pytest.approx(np.mean(weights * log.wanted), abs=1e-4)
    assert found["snips"] == pytest.approx((weights * log.wanted).sum() / weights.sum(), abs=1e-4)
    residual = log.wanted - np.array([0.3, 0.4, 0.6])
    assert found["dr"] == pytest.approx(np.mean(baseline + weights * residual), abs=1e-4)


def test_propensities_are_those_of_the_draw(lists):
    log, chances = draw(lists, ranker(popularity=1.0), seed=1), probabilities(lists, ranker(popularity=1.0))
    rounds = list(zip(log.source, log.shown, strict=True))
    assert log.propensity == pytest.approx([chances[at][shown] for at, shown in rounds])
    assert log.wanted.tolist() == [lists[at].wanted[shown] for at, shown in rounds]
    assert log.wanted.mean() == pytest.approx(value(lists, chances), abs=0.02)


def test_a_better_ranker_is_seen_to_be_better_in_the_log_of_a_worse_one(lists):
    found = replay(lists, lists[:40], ranker(heard=2.0), logging=ranker(popularity=1.0))["policies"]
    for name in ("ips", "snips", "dr"):
        assert found["roomtone"][name] == pytest.approx(found["roomtone"]["true"], rel=0.15)
        assert found["roomtone"][f"{name}_95%"][0] > found["logging"][f"{name}_95%"][1]
    assert found["logging"]["ips"] == pytest.approx(found["logging"]["true"], rel=0.1)


def test_a_policy_is_measured_by_its_own_log_without_weights(lists):
    log, chances = draw(lists, ranker(heard=1.0), seed=2), probabilities(lists, ranker(heard=1.0))
    expected = [np.zeros(len(one.wanted)) for one in lists]
    assert estimates(log, chances, expected)["ips"] == pytest.approx(log.wanted.mean(), abs=1e-4)
