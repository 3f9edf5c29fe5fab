"""From what a user did to a vector in the space of the items' collaborative factors, on the device.

Two ways, one per way of making the factors. Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback
datasets" (2008), equation 4, is the fold-in of alternating least squares. Factors that come from the item-item
weights of EASE (Steck 2019) fold in by a sum.
"""

import numpy as np


def least_squares(
    factors: np.ndarray, confidence: np.ndarray, gram: np.ndarray, *, regularization: float
) -> np.ndarray:
    """The user's factors that implicit ALS would give: (Y'Y + Y_u'(C - I)Y_u + r I) x = Y_u' c.

    Parameters
    ----------
    factors : np.ndarray [shape=(n, d), dtype=float32]
        Of the n items that the user touched.
    confidence : np.ndarray [shape=(n,), dtype=float32]
        c >= 0 for an item wanted that much, < 0 for one unwanted: it pulls towards 0 with weight -c.
    gram : np.ndarray [shape=(d, d), dtype=float32]
        Y'Y over all items.

    Returns
    -------
    np.ndarray [shape=(d,), dtype=float32]
    """
    left = gram + (factors.T * (np.abs(confidence) - 1.0)) @ factors
    left.flat[:: len(left) + 1] += regularization
    right = factors.T @ np.maximum(confidence, 0.0)
    return np.linalg.solve(left.astype(np.float64), right.astype(np.float64)).astype(np.float32)


def weighted_sum(factors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The sum of the items' factors (n, d) by weights (n,): float32 (d,)."""
    return (np.asarray(weights, np.float32) @ factors).astype(np.float32)
