"""Item factors for the device, two ways: the leading eigenvectors of EASE's weights, or alternating least squares.

``ease``: B = S / d with S = -P off the diagonal and d = diag(P). The symmetric d^-1/2 S d^-1/2 has the eigenvectors V
and eigenvalues w; then B ~ (d^1/2 V w) (d^-1/2 V)': a history folds in by a weighted sum and is scored by a product.
Leaving the diagonal out before the decomposition is what makes few factors enough.
``als``: Hu, Koren and Volinsky (2008), through the `implicit` library.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse

from edge.context import unit
from edge.errors import ExportError

DIMENSION = 64
ALS_REGULARIZATION, ALS_ALPHA, ALS_ITERATIONS = 10.0, 10.0, 15


@dataclass(frozen=True)
class Factors:
    """What edge/recommend/collaborative.py folds in and scores with."""

    method: str
    directions: np.ndarray
    """float32 (items, d), unit vectors, zeros where nothing is known."""
    scale: np.ndarray
    """float32 (items,): length of the item's factors."""
    fold: np.ndarray
    """float32 (items,): how much the item counts in a user's factors; ones for ``als``."""
    spectrum: np.ndarray
    """float32 (d,) for ``ease``; Y'Y (d, d) for ``als``."""
    regularization: float = 0.0
    alpha: float = 1.0


def ease_factors(precision: np.ndarray, *, dimension: int = DIMENSION) -> Factors:
    """Factors from P of item_weights.py."""
    items = len(precision)
    d = np.diag(precision).copy()
    symmetric = -precision / np.sqrt(d[:, np.newaxis] * d)
    symmetric[np.diag_indices(items)] = 0.0
    kept = min(dimension, items)
    values, vectors = _leading(symmetric, kept)
    spectrum, basis = np.zeros(dimension, np.float32), np.zeros((items, dimension), np.float32)
    spectrum[:kept], basis[:, :kept] = values, vectors
    lengths = np.linalg.norm(basis, axis=1)
    return Factors(
        method="ease",
        directions=unit(basis),
        scale=(lengths / np.sqrt(d)).astype(np.float32),
        fold=(lengths * np.sqrt(d)).astype(np.float32),
        spectrum=spectrum,
    )


def _leading(symmetric: np.ndarray, kept: int) -> tuple[np.ndarray, np.ndarray]:
    """The ``kept`` highest eigenvalues, descending, and their eigenvectors as columns.

    LAPACK's quick way to the leading ones alone finds too few where many eigenvalues are equal, as in ratings of one
    pattern over and over; all are looked for then.
    """
    items = len(symmetric)
    values, vectors = scipy.linalg.eigh(symmetric, subset_by_index=[items - kept, items - 1])
    if len(values) < kept:
        values, vectors = scipy.linalg.eigh(symmetric, driver="evd")
    return values[-kept:][::-1], vectors[:, -kept:][:, ::-1]


def als_factors(strengths: scipy.sparse.csr_matrix, *, dimension: int = DIMENSION, seed: int = 0) -> Factors:
    """Factors from X of item_weights.py, float32 (users, items). Raises ExportError without `implicit`."""
    try:
        from implicit.als import AlternatingLeastSquares
    except ImportError as error:
        raise ExportError("the method als needs `implicit`; pip install 'roomtone[export]'") from error
    model = AlternatingLeastSquares(factors=dimension, regularization=ALS_REGULARIZATION, alpha=ALS_ALPHA,
                                    iterations=ALS_ITERATIONS, random_state=seed, num_threads=1)  # fmt: skip
    model.fit(strengths, show_progress=False)
    factors = np.asarray(model.item_factors, np.float32)
    return Factors(
        method="als",
        directions=unit(factors),
        scale=np.linalg.norm(factors, axis=1).astype(np.float32),
        fold=np.ones(len(factors), np.float32),
        spectrum=factors.T @ factors,
        regularization=ALS_REGULARIZATION,
        alpha=ALS_ALPHA,
    )
