"""How good lists are: NDCG, recall, coverage and the Gini coefficient of exposure."""

import numpy as np

from edge.recommend.gini import gini

RESAMPLES = 1000


def ndcg(ranked: np.ndarray, wanted: np.ndarray, k: int = 10) -> float:
    """Normalised discounted cumulative gain with binary gains (Jarvelin and Kekalainen 2002), 0 to 1."""
    gains = np.isin(ranked[:k], wanted) / np.log2(np.arange(2, min(k, len(ranked)) + 2))
    ideal = (1 / np.log2(np.arange(2, min(k, len(wanted)) + 2))).sum()
    return float(gains.sum() / ideal)


def recall(ranked: np.ndarray, wanted: np.ndarray, k: int = 20) -> float:
    """The share of what is wanted, or of k if that is less, among the first k: 0 to 1."""
    return float(np.isin(ranked[:k], wanted).sum() / min(k, len(wanted)))


def exposures(lists: list[np.ndarray], items: int, k: int = 10) -> np.ndarray:
    """How often each item is among the first k of the lists: int64 (items,)."""
    return np.bincount(np.concatenate([ranked[:k] for ranked in lists]).astype(np.int64), minlength=items)


def coverage(shown: np.ndarray) -> float:
    """The share of the items that are in any list."""
    return float((shown > 0).mean())


def interval(values: np.ndarray, people: list[str], *, over: np.ndarray | None = None) -> tuple[float, float]:
    """A 95 % bootstrap interval (Efron 1979, percentiles) of the mean of values (n,), or of its ratio to that of
    ``over`` (n,) of the same cases. People are drawn, not cases: one may be held out by several seeds.
    """
    _, who = np.unique(people, return_inverse=True)
    above = np.bincount(who, values)
    below = np.bincount(who, over if over is not None else np.ones(len(values)))
    drawn = np.random.default_rng(0).integers(0, len(above), (RESAMPLES, len(above)))
    low, high = np.percentile(above[drawn].sum(axis=1) / np.maximum(below[drawn].sum(axis=1), 1e-12), [2.5, 97.5])
    return float(low), float(high)


def summary(lists: list[np.ndarray], wanted: list[np.ndarray], items: int) -> dict[str, float]:
    """All of the above for one model's lists, one a user."""
    shown = exposures(lists, items)
    pairs = list(zip(lists, wanted, strict=True))
    return {
        "ndcg@10": float(np.mean([ndcg(ranked, liked) for ranked, liked in pairs])),
        "recall@20": float(np.mean([recall(ranked, liked) for ranked, liked in pairs])),
        "coverage": coverage(shown),
        "gini": gini(shown),
    }
