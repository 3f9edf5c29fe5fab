"""How much each record of a user's history counts now: its strength, faded by what came since, and bounded.

No event, session or day can take a taste over: an event moves one item's strength within -1 and 1, and what a
session or a day did with many items is scaled down as a whole to a few times the usual, wishes and refusals each. A
night of unattended playing or a child's hour of skips then weighs about as much as an evening of ordinary listening.
"""

import numpy as np

SESSION_BUDGET = 8.0
DAY_BUDGET = 16.0
"""Sums of strengths that any session and any day may have: 16 liked items, or 23 played to the end."""
USUAL = 3.0
"""Beyond its budget a session counts up to so many times the median of the user's others; a day likewise. On
MovieLens-100k, where a session rates a hundred films, fixed budgets alone cost 1.7 % of NDCG@10, these .3 %."""
SHORT_ITEMS = 5.0
"""The short-term memory fades by e every five items: the mood of this session."""
LONG_ITEMS, LONG_SHARE = 15.0, 0.5
"""The long-term memory fades by e over half of the history, and over 15 items at least: measured on
MovieLens-100k, NDCG@10 .218 against .186 without fading (`roomtone-export evaluate`)."""

REFUSAL_SHARE = 0.5
"""What was refused says half as much about what else is unwanted as what was liked about what else is wanted; itself
it stays away all the same (candidates.py). 20 % random events cost 2.7 % of NDCG@10 so, 4.7 % at 1 and 1.5 % at a
quarter, on users of MovieLens-100k that the evaluation never tests."""


def bounded(table: np.ndarray, *, session: float = SESSION_BUDGET, day: float = DAY_BUDGET) -> np.ndarray:
    """The records' strengths within the budgets.

    ``table`` is records.Records.table, shape=(n,); returns float32 (n,), each within -1 and 1, whose sum of one
    sign over one session or day is at most its budget, or USUAL times the median of that sign.
    """
    strengths = table["strength"].astype(np.float32)
    for period, budget in (("session", session), ("day", day)):
        strengths = _within(strengths, table[period], budget)
    return strengths


def fading(count: int, items: float) -> np.ndarray:
    """exp(-back / items) for ``count`` records, the last of which is 0 back: float32 (count,)."""
    return np.exp(-np.arange(count - 1, -1, -1) / items).astype(np.float32)


def short_term(strengths: np.ndarray) -> np.ndarray:
    """How much each record counts just now, from ``bounded``: float32 (n,)."""
    return _says(strengths) * fading(len(strengths), SHORT_ITEMS)


def long_term(strengths: np.ndarray) -> np.ndarray:
    """How much each record counts in the long run, from ``bounded``: float32 (n,)."""
    return _says(strengths) * fading(len(strengths), max(LONG_ITEMS, LONG_SHARE * len(strengths)))


def _says(strengths: np.ndarray) -> np.ndarray:
    return np.where(strengths < 0, np.float32(REFUSAL_SHARE) * strengths, strengths)


def _within(strengths: np.ndarray, period: np.ndarray, budget: float) -> np.ndarray:
    if not len(strengths):
        return strengths
    names, index = np.unique(period, return_inverse=True)
    scaled = np.zeros_like(strengths)
    for part in (np.maximum(strengths, 0), np.minimum(strengths, 0)):
        sums = np.abs(np.bincount(index, part, len(names)))
        limit = max(budget, USUAL * _usual(sums[sums > 0]))
        scaled += part * (limit / np.maximum(sums, limit))[index]
    return scaled


def _usual(sums: np.ndarray) -> float:
    """The median of all but the largest, so that nothing is its own measure; 0 for one or none.

    np.median takes five times as long over a few.
    """
    others = np.sort(sums)[:-1]
    middle = len(others) // 2
    return float(others[middle] + others[~middle]) / 2 if len(others) else 0.0
