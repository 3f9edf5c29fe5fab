"""The evaluation: the device's own recommender beside the usual ones, on users held out whole."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edge.recommend.ranker import Ranker
from export.collaborative.device import Device
from export.collaborative.grades import Scale, scale_of
from export.collaborative.metrics import interval, ndcg, recall, summary
from export.collaborative.model import fit
from export.collaborative.peers import Scorer, peers
from export.collaborative.protocol import Case, Split, events_of, temporal
from export.collaborative.ranking_lists import CANDIDATES, ranking_lists
from export.collaborative.ratings import Ratings
from export.training.ranking import train

LIST_LENGTH = 20


@dataclass
class Lists:
    """One model's lists over the cases: item numbers, best first, and the seconds that each took."""

    ranked: list[np.ndarray] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def evaluate(
    ratings: Ratings, *, seeds: int = 3, method: str = "auto", say: Callable[[str], None] = lambda text: None
) -> dict[str, Any]:
    """Run the temporal protocol once per seed. Returns the document of ``roomtone-export evaluate --json``.

    ``say`` is told what is being done. Raises ExportError when the ratings are too few to hold users out.
    """
    scale = scale_of(ratings)
    runs = []
    for seed in range(seeds):
        say(f"seed {seed + 1} of {seeds}")
        split = temporal(ratings, scale, seed=seed)
        runs.append((split, _one_run(ratings, scale, split, seed=seed, method=method)))
    models = {name: _figures(ratings, [(split, lists[name]) for split, lists in runs]) for name in runs[0][1]}
    return {
        "protocol": "temporal", "users": sum(len(split.cases) for split, _ in runs) // seeds, "seeds": seeds,
        "items": len(ratings.items), "ratings": len(ratings.user), "liked_from": scale.liked_from, "models": models,
        "against_ease": _ratios(models),
    }  # fmt: skip


def _one_run(ratings: Ratings, scale: Scale, split: Split, *, seed: int, method: str) -> dict[str, Lists]:
    """The lists of every model, by name."""
    ranker = train(ranking_lists(split.train, scale, seed=seed, method=method))
    lists = {name: _peer_lists(ratings, split.cases, scorer)
             for name, scorer in peers(split.train, scale, seed=seed).items()}  # fmt: skip
    with Device(split.train, fit(split.train, scale, method=method, seed=seed)) as device:
        for case in split.cases:
            device.remember(events_of(ratings, case, scale))
        lists["roomtone, untrained ranker"] = _device_lists(device, split.cases, None)
        lists["roomtone"] = _device_lists(device, split.cases, ranker)
    return lists


def _device_lists(device: Device, cases: list[Case], ranker: Ranker | None) -> Lists:
    recommender, lists = device.recommender(ranker, candidates=CANDIDATES), Lists()
    for case in cases:
        ranked, seconds = device.ranked(recommender, case.user, LIST_LENGTH)
        lists.ranked.append(ranked)
        lists.seconds.append(seconds)
    return lists


def _peer_lists(ratings: Ratings, cases: list[Case], scorer: Scorer) -> Lists:
    lists = Lists()
    for case in cases:
        start = time.perf_counter()
        items = ratings.item[case.given]
        scores = np.array(scorer(items, ratings.rating[case.given]), np.float64)
        scores[items] = -np.inf
        lists.ranked.append(np.argsort(-scores, kind="stable")[:LIST_LENGTH])
        lists.seconds.append(time.perf_counter() - start)
    return lists


def _figures(ratings: Ratings, runs: list[tuple[Split, Lists]]) -> dict[str, Any]:
    """The means over seeds, with bootstrap intervals over all held-out users."""
    wanted = [[case.wanted for case in split.cases] for split, _ in runs]
    per_seed = [summary(lists.ranked, liked, len(ratings.items))
                for (_, lists), liked in zip(runs, wanted, strict=True)]  # fmt: skip
    pairs = [pair for (_, lists), liked in zip(runs, wanted, strict=True)
             for pair in zip(lists.ranked, liked, strict=True)]  # fmt: skip
    figures: dict[str, Any] = {key: _mean([one[key] for one in per_seed]) for key in per_seed[0]}
    figures["ndcg@10_95%"] = _interval([ndcg(ranked, liked) for ranked, liked in pairs])
    figures["recall@20_95%"] = _interval([recall(ranked, liked) for ranked, liked in pairs])
    figures["median_ms"] = _mean([1e3 * float(np.median(lists.seconds)) for _, lists in runs])
    return figures


def _ratios(models: dict[str, dict[str, Any]]) -> dict[str, float]:
    if "ease" not in models:
        return {}
    ours, ease = models["roomtone"], models["ease"]
    return {key: round(ours[key] / ease[key], 3) for key in ("ndcg@10", "recall@20") if ease[key] > 0} | {
        "gini_difference": round(ours["gini"] - ease["gini"], 3)
    }


def _mean(values: list[float]) -> float:
    return round(float(np.mean(values)), 4)


def _interval(values: list[float]) -> list[float]:
    return [round(bound, 4) for bound in interval(np.array(values))]
