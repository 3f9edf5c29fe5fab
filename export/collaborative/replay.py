"""Off-policy replay: what other rankers would have earned, from impressions that one ranker drew and logged.

A logged round is a list of candidates, the one that was shown, the propensity with which it was drawn, and whether it
was wanted. Inverse propensity scoring (Horvitz and Thompson 1952), its self-normalised form (Swaminathan and Joachims
2015) and doubly robust estimation (Dudik et al. 2014) come from the Open Bandit Pipeline, `obp` (Saito et al. 2020).
Here the rounds are drawn on held-out users, so the true value of each policy is known and the estimates can be judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.errors import RuntimeMissingError
from edge.recommend.ranker import Ranker, prior
from export.collaborative.lists import RankingList

ROUNDS_A_LIST = 50
SHOWN_FROM = 50
"""The logging ranker draws from so many of its best candidates, the others from the same ones."""
TEMPERATURE = 1.0
"""Of the draw: propensities are the softmax of scores over it, scores standardised within the list."""
BOOTSTRAP_SAMPLES = 200


@dataclass(frozen=True)
class Log:
    """One entry a round; candidates are numbered within their list."""

    shown: np.ndarray
    """int64 (rounds,): the number of the candidate that was drawn."""
    propensity: np.ndarray
    """float64 (rounds,), above 0."""
    wanted: np.ndarray
    """float64 (rounds,): 1 when it was, else 0."""
    source: np.ndarray
    """int64 (rounds,): the list that the round belongs to."""


def replay(
    lists: list[RankingList], known: list[RankingList], ranker: Ranker, *, logging: Ranker | None = None, seed: int = 0
) -> dict[str, Any]:
    """Log rounds by drawing with ``logging`` (by default the untrained ranker) and estimate what others would earn.

    ``lists``: of held-out users; ``known``: of training users, that the reward model of the doubly robust estimate
    learns from. Returns the part ``replay`` of the evaluation's document. Raises RuntimeMissingError without `obp`.
    """
    _obp()
    logging = logging or prior()
    kept = [_shortened(one, logging) for one in lists]
    log = draw(kept, logging, seed=seed)
    model = _reward_model(known, ranker)
    policies = {"logging": probabilities(kept, logging), "roomtone": probabilities(kept, ranker),
                "uniform": [np.full(len(one.wanted), 1 / len(one.wanted)) for one in kept]}  # fmt: skip
    expected = [model(ranker.score(one.values)) for one in kept]
    return {"rounds": len(log.shown), "lists": len(kept), "rewards": int(log.wanted.sum()),
            "policies": {name: {"true": round(value(kept, chances), 4), **estimates(log, chances, expected)}
                         for name, chances in policies.items()}}  # fmt: skip


def draw(lists: list[RankingList], logging: Ranker, *, seed: int, rounds: int = ROUNDS_A_LIST) -> Log:
    """What a device would log that shows one candidate of each list ``rounds`` times, drawn by its score."""
    random, chances = np.random.default_rng(seed), probabilities(lists, logging)
    shown = [random.choice(len(own), rounds, p=own) for own in chances]
    pairs = list(zip(lists, chances, shown, strict=True))
    return Log(
        shown=np.concatenate(shown),
        propensity=np.concatenate([own[drawn] for _, own, drawn in pairs]),
        wanted=np.concatenate([one.wanted[drawn].astype(np.float64) for one, _, drawn in pairs]),
        source=np.repeat(np.arange(len(lists)), rounds),
    )


def probabilities(lists: list[RankingList], ranker: Ranker) -> list[np.ndarray]:
    """Of each list's candidates, how likely the ranker shows them: the softmax of its standardised scores."""
    return [softmax(ranker.score(one.values)) for one in lists]


def softmax(scores: np.ndarray) -> np.ndarray:
    """Of scores (n,), standardised: float64 (n,)."""
    scores = scores.astype(np.float64)
    powers = np.exp((scores - scores.max()) / max(float(scores.std()), 1e-9) / TEMPERATURE)
    return powers / powers.sum()


def value(lists: list[RankingList], chances: list[np.ndarray]) -> float:
    """The true share of rounds in which a policy would show something wanted."""
    return float(np.mean([own @ one.wanted for one, own in zip(lists, chances, strict=True)]))


def estimates(log: Log, chances: list[np.ndarray], expected: list[np.ndarray]) -> dict[str, Any]:
    """The estimates of a policy's value from a log that another one wrote, each with its 95 % bootstrap interval.

    ``chances`` and ``expected``: per list the policy's probabilities of its candidates and the rewards that a model
    expects of them.
    """
    ope = _obp()
    estimators = {"ips": ope.InverseProbabilityWeighting(), "snips": ope.SelfNormalizedInverseProbabilityWeighting(),
                  "dr": ope.DoublyRobust()}  # fmt: skip
    arguments: Mapping[str, Any] = {
        "reward": log.wanted, "action": log.shown, "pscore": log.propensity,
        "action_dist": _padded(chances)[log.source][..., np.newaxis], "position": np.zeros(len(log.shown), np.int64),
        "estimated_rewards_by_reg_model": _padded(expected)[log.source][..., np.newaxis],
    }  # fmt: skip
    found: dict[str, Any] = {}
    for name, estimator in estimators.items():
        found[name] = round(float(estimator.estimate_policy_value(**arguments)), 4)
        bounds = estimator.estimate_interval(**arguments, n_bootstrap_samples=BOOTSTRAP_SAMPLES, random_state=0)
        found[f"{name}_95%"] = [round(float(bounds[f"95.0% CI ({side})"]), 4) for side in ("lower", "upper")]
    return found


def _shortened(one: RankingList, logging: Ranker) -> RankingList:
    best = np.argsort(-logging.score(one.values), kind="stable")[:SHOWN_FROM]
    return RankingList(one.values[best], one.wanted[best])


def _reward_model(known: list[RankingList], ranker: Ranker):
    """From the ranker's score to the chance that a candidate is wanted, by logistic regression."""
    from sklearn.linear_model import LogisticRegression

    scores = np.concatenate([ranker.score(one.values) for one in known])
    model = LogisticRegression().fit(scores[:, np.newaxis], np.concatenate([one.wanted for one in known]))
    return lambda values: model.predict_proba(values[:, np.newaxis])[:, 1]


def _padded(rows: list[np.ndarray]) -> np.ndarray:
    """float64 (lists, longest), zeros behind the shorter ones."""
    result = np.zeros((len(rows), max(map(len, rows))))
    for at, row in enumerate(rows):
        result[at, : len(row)] = row
    return result


def _obp() -> Any:
    try:
        from obp import ope
    except ImportError as error:
        raise RuntimeMissingError("off-policy replay needs `obp`; run pip install 'roomtone[replay]'") from error
    return ope
