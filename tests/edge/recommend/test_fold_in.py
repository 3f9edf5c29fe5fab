import numpy as np
import pytest

from edge.recommend.fold_in import least_squares, weighted_sum

sparse = pytest.importorskip("scipy.sparse")
als = pytest.importorskip("implicit.als")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("regularization", [0.01, 5.0])
def test_equals_implicits_recalculate_user(seed, regularization):
    ratings = sparse.random(60, 200, 0.1, random_state=seed, format="csr", dtype=np.float32)
    ratings.data = ratings.data * 40 - 8  # refusals too
    model = als.AlternatingLeastSquares(factors=64, regularization=regularization, iterations=2, random_state=seed)
    model.fit(ratings, show_progress=False)
    factors = np.asarray(model.item_factors)
    for user in range(10):
        row = ratings[user]
        found = least_squares(factors[row.indices], row.data, factors.T @ factors, regularization=regularization)
        assert found == pytest.approx(model.recalculate_user(user, row), abs=1e-4)


def test_no_history_is_no_taste():
    assert not least_squares(np.zeros((0, 3), np.float32), np.zeros(0), np.eye(3), regularization=0.1).any()


def test_a_sum_by_weights():
    factors = np.array([[1, 0], [0, 2], [3, 3]], np.float32)
    assert weighted_sum(factors, np.array([1.0, 0.5, -1.0])).tolist() == [-2.0, -2.0]
