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


def gram(parts: list[scipy.sparse.csr_matrix], *, regularization: float = REGULARIZATION) -> np.ndarray:
    """X'X + r I, float32 (items, items), from X in any number of parts by users.

    The sum over parts is all that has to be shared: where ratings do not fit into one machine's memory, each worker
    of a cluster makes the gram matrix of its users. Raises ExportError for too many items.
    """
    items = parts[0].shape[1]
    if items > MAX_ITEMS:
        raise ExportError(f"{items} items are more than the {MAX_ITEMS} that item-item weights can be solved for; "
                          "use --method als")  # fmt: skip
    total = np.zeros((items, items), np.float32)
    for part in parts:
        total += (part.T @ part).toarray()
    total[np.diag_indices(items)] += regularization
    return total


def precision(gram_matrix: np.ndarray) -> np.ndarray:
    """P = G^-1, float32 (items, items)."""
    return np.linalg.inv(gram_matrix)


def weights(precision_matrix: np.ndarray) -> np.ndarray:
    """B: float32 (items, items), zero diagonal. A history x has the scores x B."""
    result = -precision_matrix / np.diag(precision_matrix)
    result[np.diag_indices_from(result)] = 0.0
    return result
