"""Figures of rankings, against cases worked out by hand."""

import numpy as np
import pytest

from export.training.retrieval import (
    LEVELS,
    RECALLS,
    Match,
    by_sureness,
    mean_average_precision,
    precision_by_recall,
)

FAMILIES = np.array(["a", "a", "b", "a"])
SIMILARITY = np.array([[9, 1, 3, 2], [3, 9, 2, 1], [0, 0, 9, 0], [1, 2, 3, 9.0]])
"""Relatives stand at ranks 2 and 3, 1 and 3, none, 2 and 3."""


def test_mean_average_precision_by_hand():
    by_query = [(1 / 2 + 2 / 3) / 2, (1 + 2 / 3) / 2, (1 / 2 + 2 / 3) / 2]
    assert mean_average_precision(SIMILARITY, FAMILIES) == pytest.approx(np.mean(by_query))


def test_precision_by_recall_by_hand():
    curve = dict(zip(RECALLS, precision_by_recall(SIMILARITY, FAMILIES), strict=True))
    assert curve[0.0] == curve[0.5] == pytest.approx((2 / 3 + 1 + 2 / 3) / 3)
    assert curve[0.55] == curve[1.0] == pytest.approx(2 / 3)


def test_only_those_that_are_asked_count():
    assert precision_by_recall(SIMILARITY[1:2], FAMILIES, [1])[0] == 1.0
    assert precision_by_recall(SIMILARITY[2:3], FAMILIES, [2]) == []


def test_a_perfect_ranking_keeps_its_precision():
    families = np.array(["a"] * 30 + ["b"] * 10)
    similarity = (families[:, np.newaxis] == families).astype(float)
    assert precision_by_recall(similarity, families) == [1.0] * len(RECALLS)


def test_by_sureness_by_hand():
    """Sure of their own by .65, wrong, .41; without it, of another by .3, .55, .1."""
    found = by_sureness([Match(0.9, 0.5, 0.4), Match(0.7, 0.8, 0.5), Match(0.61, 0.3, 0.2)])
    named, false = (dict(zip(LEVELS, column, strict=True)) for column in (found.named, found.false_matches))
    assert [named[least] for least in (0.2, 0.4, 0.42, 0.64, 0.66)] == pytest.approx([2 / 3, 2 / 3, 1 / 3, 1 / 3, 0])
    assert [false[least] for least in (0.2, 0.28, 0.32, 0.54, 0.56)] == pytest.approx([2 / 3, 2 / 3, 1 / 3, 1 / 3, 0])
