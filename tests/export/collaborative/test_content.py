"""What content says of items that nobody has played: against scikit-learn's kernel ridge regression and by hand."""

import numpy as np
import pytest

from edge.catalog.items import Item
from export.collaborative import content as maps
from export.collaborative.content import Content, complete, learn
from export.collaborative.factors import Factors

GENRES = ("Comedy", "Drama|Crime", "Drama", None)


def item(row: int, title: str = "", **fields) -> Item:
    return Item(row, f"i{row}", "track", title or f"t{row}", **fields)


@pytest.fixture(scope="module")
def many():
    random = np.random.default_rng(5)
    return Content([item(row, f"{'Night' if row % 3 else 'Day'} of {'ships' if row % 5 else 'song'}",
                         genre=GENRES[random.integers(4)], year=int(random.integers(1950, 2000)) if row % 7 else None,
                         artist=f"A{random.integers(9)}") for row in range(80)],
                   {"audio": _unit(random.normal(size=(80, 6)))})  # fmt: skip


def _unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_likeness_by_hand():
    """Of three: the same genre, 1 and 3 years old (from the newest, of 2000): ln 2 - ln 4 apart."""
    content = Content([item(0, "Star", genre="Drama", year=1999), item(1, "Star", genre="drama", year=1997),
                       item(2, "Moon", genre="Comedy", year=2000)])  # fmt: skip
    every = np.arange(3)
    found = content.likeness(every, every)
    assert found[0, 1] == pytest.approx(np.exp(-np.log(2) / maps.AGE_SPAN) + 1)  # and the word that they share
    assert found[0, 2] == pytest.approx(np.exp(-maps.GENRE_SHARPNESS - np.log(2) / maps.AGE_SPAN))
    assert found.diagonal() == pytest.approx([2, 2, 1])
    assert found == pytest.approx(found.T)


def test_likeness_is_positive_definite(many):
    every = np.arange(many.size)
    assert np.linalg.eigvalsh(many.likeness(every, every).astype(np.float64)).min() > -1e-4


def test_equals_kernel_ridge_regression(many):
    from sklearn.kernel_ridge import KernelRidge

    known, new = np.arange(0, 60), np.arange(60, 80)
    values = np.random.default_rng(6).normal(size=(60, 3))
    oracle = KernelRidge(alpha=2.0, kernel="precomputed")
    oracle.fit(many.likeness(known, known).astype(np.float64), values - values.mean(axis=0))
    expected = oracle.predict(many.likeness(new, known).astype(np.float64)) + values.mean(axis=0)
    assert learn(many, known, values, regularization=2.0)(new) == pytest.approx(expected, abs=2e-3)


def test_some_of_very_many_are_enough(many, monkeypatch):
    """Items of few kinds: a part of them has every kind, and foretells what all do."""
    kinds = Content([item(row, genre=GENRES[row % 3], year=1990) for row in range(300)])
    known, new = np.arange(270), np.arange(270, 300)
    values = np.array([[1.0], [2.0], [4.0]])[known % 3]
    whole = learn(kinds, known, values)(new)
    monkeypatch.setattr(maps, "MOST_LANDMARKS", 30)
    monkeypatch.setattr(maps, "BATCH", 64)
    assert learn(kinds, known, values)(new) == pytest.approx(whole, abs=1e-2)
    assert whole[:, 0] == pytest.approx(values[:30, 0], abs=0.3)


def factors(count: int) -> Factors:
    directions = np.zeros((count, 2), np.float32)
    directions[: count // 2, 0] = directions[count // 2 :, 1] = 1
    ones = np.ones(count, np.float32)
    return Factors("ease", directions, 2 * ones, ones, ones[:2])


def test_a_new_item_is_placed_among_those_that_it_is_like():
    items = [item(row, genre="Comedy" if row < 10 else "Drama", year=1990) for row in range(20)]
    items += [item(20, genre="Drama", year=1990), item(21, genre="Comedy", year=1990)]
    found = complete(_with_empty(factors(20), 2), Content(items), np.repeat([1, 0], [20, 2]))
    assert found.directions[:20].tolist() == factors(20).directions.tolist()
    assert found.directions[20] @ [0, 1] > 0.9
    assert found.directions[21] @ [1, 0] > 0.9
    assert found.fold[20] == 1


def test_where_all_is_played_or_nothing_there_is_nothing_to_foretell():
    content = Content([item(row) for row in range(4)])
    for plays in (np.ones(4), np.zeros(4)):
        assert complete(factors(4), content, plays).directions.tolist() == factors(4).directions.tolist()


def _with_empty(known: Factors, more: int) -> Factors:
    def pad(values):
        return np.concatenate([values, np.zeros((more, *values.shape[1:]), values.dtype)])

    return Factors(known.method, pad(known.directions), pad(known.scale), pad(known.fold), known.spectrum)
