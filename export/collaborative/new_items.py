"""How well items that nobody has played are recommended: some are hidden from training, their content alone is left.

The cold-start protocol of Schein et al. (2002): a share of the items is drawn; no interaction with them is learned
from or given. The device then ranks the hidden items alone for each held-out user, and is asked for those that the
user liked after the cut. The baselines know the same content: the popularity that ridge regression predicts from it,
to the likes as they are and to their logarithm, and that the device's own map (content.py) predicts from it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from edge.catalog.items import Item
from edge.recommend.filters import Filters
from edge.recommend.ranker import Ranker
from export.collaborative import content, content_ridge
from export.collaborative.catalogue import item_of
from export.collaborative.content import Content
from export.collaborative.content_ridge import features_of
from export.collaborative.device import Device
from export.collaborative.grades import Scale
from export.collaborative.metrics import interval, recall
from export.collaborative.model import fit
from export.collaborative.protocol import Case, Split, events_of, temporal
from export.collaborative.ranking_lists import CANDIDATES, ranking_lists
from export.collaborative.ratings import Ratings
from export.training.ranking import Options, train

OURS, UNTRAINED = "roomtone", "roomtone, untrained ranker"
PLACES = 20


def _linear(items: list[Item], known: np.ndarray, values: np.ndarray, regularization: float) -> np.ndarray:
    features, confidence = features_of(items), np.zeros(len(items))
    confidence[known] = 1.0
    every = np.zeros((len(items), 1))
    every[known, 0] = values
    return content_ridge.learn(features, every, confidence, regularization=regularization).predict(features)[:, 0]


def _by_kernel(items: list[Item], known: np.ndarray, values: np.ndarray, regularization: float) -> np.ndarray:
    predict = content.learn(Content(items), known, values[:, np.newaxis], regularization=regularization)
    return predict(np.arange(len(items)))[:, 0]


Predictor = Callable[[list[Item], np.ndarray, np.ndarray, float], np.ndarray]
"""All items, the numbers (n,) of those of known values, these (n,) and a regularisation -> a value for every item."""
BASELINES: dict[str, tuple[Predictor, Callable[[np.ndarray], np.ndarray], float]] = {
    "content-predicted popularity": (_linear, lambda likes: likes, 300.0),
    "content-predicted popularity, logarithm": (_linear, np.log1p, 10.0),
    "content-predicted popularity, by kernel": (_by_kernel, lambda likes: likes, 10.0),
}
"""How it is predicted, what of the number of likes, and the regularisation: of 3 to 1000 each the best on draws of
MovieLens-100k's users and items that no seed from 0 to 2 tests."""


@dataclass
class _Recalls:
    """Per model the recall of every case, and whose case it was."""

    values: dict[str, list[float]] = field(default_factory=dict)
    people: list[str] = field(default_factory=list)
    hidden: int = 0

    def add(self, name: str, ranked: np.ndarray, case: Case) -> None:
        self.values.setdefault(name, []).append(recall(ranked, case.wanted, PLACES))


def evaluate_new_items(
    ratings: Ratings, scale: Scale, *, share: float, seeds: int, method: str = "auto",
    step: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Hide a share of the items once a seed. Returns the part ``new_items`` of the evaluation's document.

    Without figures where no held-out user liked a hidden item after the cut.
    """
    found = _Recalls()
    for seed in range(seeds):
        hidden = _drawn(len(ratings.items), share, seed)
        whole = temporal(ratings, scale, seed=seed)
        split = Split(whole.train.where(~hidden[whole.train.item]), _cold(ratings, whole.cases, hidden))
        found.people += [case.user for case in split.cases]
        found.hidden += int(hidden.sum())
        if not split.cases:
            continue
        ranker = train(ranking_lists(split.train, scale, seed=seed, method=method, step=step), Options(seed=seed))
        _by_popularity(found, ratings, scale, split, hidden)
        _by_device(found, ratings, scale, split, hidden, ranker, fitted={"method": method, "seed": seed})
        step()
    return _document(found, share, seeds)


def _drawn(items: int, share: float, seed: int) -> np.ndarray:
    chosen = np.zeros(items, bool)
    chosen[np.random.default_rng([seed, items]).permutation(items)[: max(1, round(share * items))]] = True
    return chosen


def _cold(ratings: Ratings, cases: list[Case], hidden: np.ndarray) -> list[Case]:
    """The cases with nothing hidden given, and only hidden items wanted."""
    cold = [replace(case, given=case.given[~hidden[ratings.item[case.given]]], wanted=case.wanted[hidden[case.wanted]])
            for case in cases]  # fmt: skip
    return [case for case in cold if len(case.given) and len(case.wanted)]


def _by_popularity(found: _Recalls, ratings: Ratings, scale: Scale, split: Split, hidden: np.ndarray) -> None:
    items = [item_of(row, ratings) for row in range(len(ratings.items))]
    likes = np.bincount(split.train.item, scale.liked(split.train.rating), len(ratings.items))
    numbers, known = np.flatnonzero(hidden), np.flatnonzero(~hidden)
    for name, (predict, of, regularization) in BASELINES.items():
        predicted = predict(items, known, of(likes[known]), regularization)[numbers]
        ranked = numbers[np.argsort(-predicted, kind="stable")]
        for case in split.cases:
            found.add(name, ranked, case)


def _by_device(
    found: _Recalls, ratings: Ratings, scale: Scale, split: Split, hidden: np.ndarray, ranker: Ranker,
    *, fitted: dict[str, Any],
) -> None:
    others = Filters.of(unavailable=[ratings.items[number] for number in np.flatnonzero(~hidden)])
    limit = max(CANDIDATES, int(hidden.sum()))
    with Device(split.train, fit(split.train, scale, **fitted)) as device:
        for case in split.cases:
            device.remember(events_of(ratings, case, scale))
        for name, used in ((UNTRAINED, None), (OURS, ranker)):
            recommender = device.recommender(used, candidates=limit, filters=others)
            for case in split.cases:
                found.add(name, device.ranked(recommender, case.user, PLACES)[0], case)


def _document(found: _Recalls, share: float, seeds: int) -> dict[str, Any]:
    values = {name: np.array(recalls) for name, recalls in found.values.items()}
    models = {name: {"recall@20": round(float(one.mean()), 4), "recall@20_95%": _rounded(interval(one, found.people))}
              for name, one in values.items()}  # fmt: skip
    against = {name: {"recall@20": round(float(values[OURS].mean() / max(values[name].mean(), 1e-9)), 3),
                      "recall@20_95%": _rounded(interval(values[OURS], found.people, over=values[name]))}
               for name in (BASELINES if values else ())}  # fmt: skip
    return {"share": share, "items": found.hidden // seeds, "cases": len(found.people), "models": models,
            "against": against}  # fmt: skip


def _rounded(bounds: tuple[float, float]) -> list[float]:
    return [round(bound, 4) for bound in bounds]
