"""The evaluation: the device's own recommender beside the usual ones, on users held out whole."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edge.recommend.ranker import Ranker
from edge.recommend.recommender import EXPOSURE_PENALTY
from export.collaborative.device import Device
from export.collaborative.grades import Scale, scale_of
from export.collaborative.metrics import interval, ndcg, recall, summary
from export.collaborative.model import fit
from export.collaborative.new_items import evaluate_new_items
from export.collaborative.peers import Scorer, peers
from export.collaborative.protocol import Case, Split, events_of, strict, temporal, with_noise
from export.collaborative.ranking_lists import CANDIDATES, FOLDS, ranking_lists
from export.collaborative.ratings import Ratings
from export.collaborative.replay import replay
from export.training.ranking import Options, train

LIST_LENGTH = 20
OURS, UNTRAINED, NOISY = "roomtone", "roomtone, untrained ranker", "roomtone, random events added"
PENALTIES = (0.0, 0.25, 0.75, 1.0, 1.5, 2.0)
"""Exposure penalties of the curve, beside the default one."""
STEPS = FOLDS + 1


@dataclass(frozen=True)
class Protocol:
    seeds: int = 3
    method: str = "auto"
    strict: bool = False
    """Whether nothing is fitted on what came after a held-out user's cut."""
    noise: float = 0.0
    """The share of random events added to each history for a further line."""
    curve: bool = False
    """Whether NDCG is measured against Gini, by the exposure penalty."""
    new_items: float = 0.0
    """The share of items hidden from training for a part of its own (new_items.py)."""
    replay: bool = False
    """Whether the first seed's held-out users are also measured off-policy (replay.py)."""

    @property
    def steps(self) -> int:
        """How often ``evaluate`` calls ``step`` when the protocol is not strict."""
        return self.seeds * STEPS * (2 if self.new_items else 1)


@dataclass
class Lists:
    """One model's lists over the cases: item numbers, best first, and the seconds that each took."""

    ranked: list[np.ndarray] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def extend(self, other: "Lists") -> None:
        self.ranked += other.ranked
        self.seconds += other.seconds


@dataclass
class Run:
    """One seed's cases and, by name, every model's lists over them."""

    cases: list[Case]
    lists: dict[str, Lists]
    left_out: int = 0
    replayed: dict[str, Any] = field(default_factory=dict)


def evaluate(ratings: Ratings, protocol: Protocol, *, step: Callable[[], object] = lambda: None) -> dict[str, Any]:
    """Run the protocol once per seed. Returns the document of ``roomtone-export evaluate --json``.

    ``step`` is called when a part is done. Raises ExportError when the ratings are too few to hold users out.
    """
    scale = scale_of(ratings)
    runs = [_seed(ratings, scale, protocol, seed, step) for seed in range(protocol.seeds)]
    names = [name for name in runs[0].lists if not name.startswith("penalty ")]
    models = {name: _figures(ratings, runs, name) for name in names}
    document: dict[str, Any] = {
        "protocol": "strict" if protocol.strict else "temporal",
        "users": sum(len(run.cases) for run in runs) // len(runs), "seeds": protocol.seeds,
        "left_out": sum(run.left_out for run in runs), "items": len(ratings.items), "ratings": len(ratings.user),
        "liked_from": scale.liked_from, "models": models, "against_ease": _against(runs, models, "ease"),
    }  # fmt: skip
    if protocol.noise:
        document["noise"] = {"share": protocol.noise, "ndcg@10_change": _change(models, NOISY, OURS)}
    if protocol.curve:
        document["curve"] = [_point(ratings, runs, name, penalty) for name, penalty in _penalties().items()]
    if protocol.new_items:
        document["new_items"] = evaluate_new_items(
            ratings, scale, share=protocol.new_items, seeds=protocol.seeds, method=protocol.method, step=step)
    if protocol.replay:
        document["replay"] = runs[0].replayed
    return document


def _penalties() -> dict[str, float]:
    named = {f"penalty {penalty:g}": penalty for penalty in PENALTIES} | {OURS: EXPOSURE_PENALTY}
    return dict(sorted(named.items(), key=lambda pair: pair[1]))


def _seed(ratings: Ratings, scale: Scale, protocol: Protocol, seed: int, step: Callable[[], object]) -> Run:
    split = temporal(ratings, scale, seed=seed)
    splits, left_out = strict(split) if protocol.strict else ([split], 0)
    run = Run([], {}, left_out)
    for part in splits:
        run.cases += part.cases
        for name, lists in _fitted(ratings, scale, protocol, part, seed, step, run).items():
            run.lists.setdefault(name, Lists()).extend(lists)
    return run


def _fitted(
    ratings: Ratings, scale: Scale, protocol: Protocol, split: Split, seed: int, step: Callable[[], object], run: Run
) -> dict[str, Lists]:
    """The lists of every model, by name, fitted on the split's training part; the first seed's replay into ``run``."""
    known = ranking_lists(split.train, scale, seed=seed, method=protocol.method, step=step)
    ranker = train(known, Options(seed=seed))
    lists = {name: _peer_lists(ratings, split.cases, scorer)
             for name, scorer in peers(split.train, scale, seed=seed).items()}  # fmt: skip
    with Device(split.train, fit(split.train, scale, method=protocol.method, seed=seed)) as device:
        for case in split.cases:
            device.remember(events_of(ratings, case, scale))
        lists[UNTRAINED] = _device_lists(device, split.cases, None)
        lists[OURS] = _device_lists(device, split.cases, ranker)
        for name, penalty in _penalties().items() if protocol.curve else ():
            if name != OURS:
                lists[name] = _device_lists(device, split.cases, ranker, exposure_penalty=penalty)
        if protocol.replay and seed == 0:
            held_out = [device.ranking_list(events_of(ratings, case, scale), case.wanted, CANDIDATES)
                        for case in split.cases]  # fmt: skip
            run.replayed = replay(held_out, known, ranker, seed=seed)
    if protocol.noise:
        lists[NOISY] = _noisy_lists(ratings, scale, protocol, split, ranker, seed)
    step()
    return lists


def _noisy_lists(
    ratings: Ratings, scale: Scale, protocol: Protocol, split: Split, ranker: Ranker, seed: int
) -> Lists:
    with Device(split.train, fit(split.train, scale, method=protocol.method, seed=seed)) as device:
        for number, case in enumerate(split.cases):
            device.remember(with_noise(events_of(ratings, case, scale), ratings.items, share=protocol.noise,
                                       seed=1000 * seed + number))  # fmt: skip
        return _device_lists(device, split.cases, ranker)


def _device_lists(device: Device, cases: list[Case], ranker: Ranker | None, **options: Any) -> Lists:
    recommender, lists = device.recommender(ranker, candidates=CANDIDATES, **options), Lists()
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


def _values(runs: list[Run], name: str, metric: Callable[[np.ndarray, np.ndarray], float]) -> np.ndarray:
    """Of every case of every seed: float64 (cases,)."""
    return np.array([metric(ranked, case.wanted) for run in runs
                     for ranked, case in zip(run.lists[name].ranked, run.cases, strict=True)])  # fmt: skip


def _people(runs: list[Run]) -> list[str]:
    return [case.user for run in runs for case in run.cases]


def _figures(ratings: Ratings, runs: list[Run], name: str) -> dict[str, Any]:
    """The means over seeds, with bootstrap intervals over the people that were held out."""
    per_seed = [summary(run.lists[name].ranked, [case.wanted for case in run.cases], len(ratings.items))
                for run in runs]  # fmt: skip
    figures: dict[str, Any] = {key: _mean([one[key] for one in per_seed]) for key in per_seed[0]}
    for key, metric in (("ndcg@10", ndcg), ("recall@20", recall)):
        figures[f"{key}_95%"] = _rounded(interval(_values(runs, name, metric), _people(runs)))
    figures["ndcg@10_seeds"] = [round(one["ndcg@10"], 4) for one in per_seed]
    figures["median_ms"] = _mean([1e3 * float(np.median(run.lists[name].seconds)) for run in runs])
    return figures


def _point(ratings: Ratings, runs: list[Run], name: str, penalty: float) -> dict[str, float]:
    figures = _figures(ratings, runs, name)
    return {"exposure_penalty": penalty, **{key: figures[key] for key in ("ndcg@10", "recall@20", "gini", "coverage")}}


def _against(runs: list[Run], models: dict[str, dict[str, Any]], peer: str) -> dict[str, Any]:
    if peer not in models:
        return {}
    found: dict[str, Any] = {"gini_difference": round(models[OURS]["gini"] - models[peer]["gini"], 4)}
    for key, metric in (("ndcg@10", ndcg), ("recall@20", recall)):
        if models[peer][key] > 0:
            found[key] = round(models[OURS][key] / models[peer][key], 3)
            values, over = _values(runs, OURS, metric), _values(runs, peer, metric)
            found[f"{key}_95%"] = _rounded(interval(values, _people(runs), over=over))
    return found


def _change(models: dict[str, dict[str, Any]], name: str, other: str) -> float:
    """Of NDCG, as a share of what it was; 0 where there was none to be lost."""
    before = models[other]["ndcg@10"]
    return round(models[name]["ndcg@10"] / before - 1, 4) if before else 0.0


def _mean(values: list[float]) -> float:
    return round(float(np.mean(values)), 4)


def _rounded(bounds: tuple[float, float]) -> list[float]:
    return [round(bound, 4) for bound in bounds]
