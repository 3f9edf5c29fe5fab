"""What the device's recommender is measured against, all fitted on the same training users in the same process."""

from collections.abc import Callable

import numpy as np
import scipy.sparse

from edge.errors import ExportError
from export.collaborative.grades import Scale
from export.collaborative.item_weights import MAX_ITEMS, gram, precision, regularized, weights
from export.collaborative.neighbours import co_occurrence
from export.collaborative.ratings import Ratings

Scorer = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Item numbers (n,) and ratings (n,) of a history -> a score for every item, float (items,)."""
EASE_REGULARIZATION = 200.0
"""The best of 50, 100, 200 and 400 on MovieLens-100k: the peer is not handicapped."""
ALS_FACTORS, ALS_REGULARIZATION, ALS_ALPHA, ALS_ITERATIONS = 64, 20.0, 5.0, 15
"""The best on MovieLens-100k of 32 and 64 factors, regularisation .1, 5, 20 and 50, alpha 1, 5 and 20."""


def peers(train: Ratings, scale: Scale, *, seed: int) -> dict[str, Scorer]:
    """The peers by name. All learn from what was liked, as 1; their histories are what the user liked."""
    keep = scale.liked(train.rating)
    shape = (len(train.users), len(train.items))
    liked = scipy.sparse.csr_matrix((np.ones(keep.sum(), np.float32), (train.user[keep], train.item[keep])), shape)
    found = {"popularity": _popularity(liked), "item-item": _item_item(liked, scale), "als": _als(liked, scale, seed)}
    if shape[1] <= MAX_ITEMS:
        found["ease"] = _ease(liked, scale)
    return found


def _vector(items: np.ndarray, ratings: np.ndarray, size: int, scale: Scale) -> np.ndarray:
    vector = np.zeros(size, np.float32)
    vector[items[scale.liked(ratings)]] = 1.0
    return vector


def _popularity(liked: scipy.sparse.csr_matrix) -> Scorer:
    counts = np.asarray(liked.sum(axis=0)).ravel()
    return lambda items, ratings: counts


def _ease(liked: scipy.sparse.csr_matrix, scale: Scale) -> Scorer:
    """EASE as published, on what was liked."""
    matrix = weights(precision(regularized(gram(liked), EASE_REGULARIZATION)))
    return lambda items, ratings: _vector(items, ratings, liked.shape[1], scale) @ matrix


def _item_item(liked: scipy.sparse.csr_matrix, scale: Scale) -> Scorer:
    """BM25-weighted co-occurrence of `implicit`."""
    similarity = co_occurrence(liked, 100).T.tocsr()
    return lambda items, ratings: similarity @ _vector(items, ratings, liked.shape[1], scale)


def _als(liked: scipy.sparse.csr_matrix, scale: Scale, seed: int) -> Scorer:
    """Implicit ALS of `implicit`, with its own fold-in."""
    try:
        from implicit.als import AlternatingLeastSquares
    except ImportError as error:
        raise ExportError("the evaluation needs `implicit`; pip install 'roomtone[export]'") from error
    model = AlternatingLeastSquares(factors=ALS_FACTORS, regularization=ALS_REGULARIZATION, alpha=ALS_ALPHA,
                                    iterations=ALS_ITERATIONS, random_state=seed, num_threads=1)  # fmt: skip
    model.fit(liked, show_progress=False)
    factors = np.asarray(model.item_factors)

    def score(items: np.ndarray, ratings: np.ndarray) -> np.ndarray:
        history = scipy.sparse.csr_matrix(_vector(items, ratings, liked.shape[1], scale))
        return factors @ model.recalculate_user(0, history)

    return score
