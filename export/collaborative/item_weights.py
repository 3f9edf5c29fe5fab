"""Item-item weights by ridge regression of every item on all others: EASE.

Steck, "Embarrassingly shallow autoencoders for sparse data" (WWW 2019): with G = X'X + r I and P = G^-1, the weights
are B = -P / diag(P) off the diagonal. X holds the strengths of grades.py instead of ones.
"""

import numpy as np
import scipy.sparse

from edge.errors import ExportError
from export.collaborative.grades import Scale
from export.collaborative.ratings import Ratings

REGULARIZATION = 200.0
MAX_ITEMS = 15_000
"""A dense matrix of items by items: 0.9 GB in float32, some four of them at once."""


def strengths_matrix(ratings: Ratings, scale: Scale) -> scipy.sparse.csr_matrix:
    """X: float32 (users, items)."""
    values = scale.strengths(ratings.rating)
    return scipy.sparse.csr_matrix((values, (ratings.user, ratings.item)), (len(ratings.users), len(ratings.items)))


def gram(strengths: scipy.sparse.csr_matrix) -> np.ndarray:
    """X'X, float32 (items, items), of X (users, items): a sum over users. Raises ExportError for too many items."""
    items = strengths.shape[1]
    if items > MAX_ITEMS:
        raise ExportError(f"{items} items are more than the {MAX_ITEMS} that item-item weights can be solved for; "
                          "use --method als")  # fmt: skip
    return (strengths.T @ strengths).toarray()


def regularized(gram_matrix: np.ndarray, regularization: float = REGULARIZATION) -> np.ndarray:
    """X'X + r I, a copy."""
    result = gram_matrix.copy()
    result[np.diag_indices_from(result)] += regularization
    return result


def precision(gram_matrix: np.ndarray) -> np.ndarray:
    """P = G^-1, float32 (items, items)."""
    return np.linalg.inv(gram_matrix)


def weights(precision_matrix: np.ndarray) -> np.ndarray:
    """B: float32 (items, items), zero diagonal. A history x has the scores x B."""
    result = -precision_matrix / np.diag(precision_matrix)
    result[np.diag_indices_from(result)] = 0.0
    return result
