"""How unequally a list exposes artists (or genres, or channels), and an order that keeps the inequality bounded.

The Gini coefficient (Gini 1912; the form for sorted values is Damgaard and Weiner, Ecology 81, 2000): for exposures
x_1 <= ... <= x_n,  G = sum_i (2 i - n - 1) x_i / (n sum_i x_i): 0 when all are equal, (n - 1) / n when one has all.
An item's exposure is one place in the list.
"""

import numpy as np


def gini(exposures: np.ndarray) -> float:
    """The Gini coefficient of exposures (n,), each >= 0; 0 for no exposure at all."""
    ordered = np.sort(np.asarray(exposures, np.float64))
    n, total = len(ordered), ordered.sum()
    if total <= 0:
        return 0.0
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * total))


def rerank(scores: np.ndarray, groups: np.ndarray, k: int, *, bound: float) -> np.ndarray:
    """The k best candidates in an order by score, such that the exposures' Gini stays within a bound.

    Greedy: each place goes to the best candidate after whose choice the bound can still be kept. The coefficient
    is taken over as many groups as the list could show, min(k, groups that occur): those left out count as 0.

    Parameters
    ----------
    scores : np.ndarray [shape=(n,), dtype=float]
    groups : np.ndarray [shape=(n,), dtype=int]
        Equal numbers are one artist (genre, channel).
    bound : float
        0 asks for the most equal list there is, 1 for the order by score. When no list keeps the bound, the
        most equal one is given.

    Returns
    -------
    np.ndarray [shape=(min(k, n),), dtype=int64]
        Indices into ``scores``, best place first.
    """
    order = np.argsort(-np.asarray(scores), kind="stable")
    names, groups = np.unique(np.asarray(groups)[order], return_inverse=True)
    left = np.bincount(groups, minlength=len(names))
    places = min(k, len(order))
    width = min(places, len(names))
    shown = np.zeros(len(names), np.int64)
    chosen: list[int] = []
    first, following = _chains(groups, len(names))
    for place in range(places):
        firsts = np.sort(first[first < len(order)])
        pick = _first_that_fits(firsts, groups, shown, left, places - place - 1, width, bound)
        first[groups[pick]] = following[pick]
        shown[groups[pick]] += 1
        left[groups[pick]] -= 1
        chosen.append(pick)
    return order[chosen]


def _chains(groups: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Of groups (n,) numbered below ``count``: each one's first place, and each place's next one of the same group.

    int64 (count,) and (n,); n where there is none.
    """
    n = len(groups)
    together = np.argsort(groups, kind="stable")
    begins = np.flatnonzero(np.diff(groups[together], prepend=-1))
    first, following = np.full(count, n, np.int64), np.full(n, n, np.int64)
    first[groups[together[begins]]] = together[begins]
    following[together[:-1]] = np.where(np.diff(groups[together]) == 0, together[1:], n)
    return first, following


def _first_that_fits(
    firsts: np.ndarray, groups: np.ndarray, shown: np.ndarray, left: np.ndarray, rest: int, width: int, bound: float
) -> int:
    """The first of ``firsts``, each group's best free candidate, by score, that leaves the bound in reach."""
    reach = np.inf
    best = int(firsts[0])
    for candidate in firsts:
        group = groups[candidate]
        outlook = _most_equal(shown, left, group, rest, width)
        if outlook <= bound:
            return int(candidate)
        if outlook < reach - 1e-12:
            reach, best = outlook, int(candidate)
    return best


def _most_equal(shown: np.ndarray, left: np.ndarray, group: int, rest: int, width: int) -> float:
    """The least Gini that can be had when ``group`` gets this place and the ``rest`` goes to the least shown."""
    if not shown[group] and shown.max() <= 1 and len(shown) - np.count_nonzero(shown) > rest:
        return 0.0  # a place for each of so many groups
    exposures, stock = shown.copy(), left.copy()
    exposures[group] += 1
    stock[group] -= 1
    for _ in range(rest):
        least = np.where(stock > 0, exposures, np.iinfo(np.int64).max).argmin()
        exposures[least] += 1
        stock[least] -= 1
    return gini(np.sort(exposures)[-width:])
