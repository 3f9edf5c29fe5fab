"""From a teacher's many numbers to the 64 that the device and the catalogue share."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.context import unit
from edge.errors import ExportError
from export.damage import DAMAGED

DIMENSION = 64
CONSTANT_STD = 1e-6


@dataclass(frozen=True)
class Projection:
    """Standardise each feature, rotate onto the first principal axes, scale to length 1.

    No whitening: the axes keep their variance. ``mean`` and ``std`` have shape (features,), ``axes``
    (features, dimension), all float32.
    """

    teacher: str
    mean: np.ndarray
    std: np.ndarray
    axes: np.ndarray

    @property
    def space(self) -> str:
        """Identifier of the space; vectors of the same identifier can be compared."""
        digest = hashlib.sha256(b"".join(np.ascontiguousarray(part, "<f4").tobytes()
                                         for part in (self.mean, self.std, self.axes)))
        return f"{self.teacher}-pca{self.axes.shape[1]}@{digest.hexdigest()[:12]}"

    def apply(self, embeddings: np.ndarray) -> np.ndarray:
        """np.ndarray [shape=(n, features)] -> unit vectors [shape=(n, dimension), dtype=float32]."""
        return unit(((embeddings - self.mean) / self.std) @ self.axes)

    def save(self, path: Path) -> None:
        np.savez(path, teacher=np.array(self.teacher), mean=self.mean, std=self.std, axes=self.axes)

    @classmethod
    def load(cls, path: Path) -> "Projection":
        """Raises ExportError when the file is not one that ``save`` wrote."""
        try:
            with np.load(path, allow_pickle=False) as parts:
                return cls(str(parts["teacher"]), parts["mean"], parts["std"], parts["axes"])
        except DAMAGED as error:
            raise ExportError(f"{path}: not a saved projection: {error}") from error


def fit_projection(teacher: str, embeddings: np.ndarray, *, dimension: int = DIMENSION) -> Projection:
    """Principal component analysis of standardised embeddings (n, features), n > dimension.

    A feature that never changes is left at zero. The sign of each axis is fixed, so that the same data give
    the same space.
    """
    if len(embeddings) <= dimension:
        raise ExportError(f"{len(embeddings)} windows are too few for {dimension} dimensions; add tracks")
    mean, std = embeddings.mean(axis=0, dtype=np.float64), embeddings.std(axis=0, dtype=np.float64)
    std = np.where(std > CONSTANT_STD, std, np.inf)
    standard = (embeddings - mean) / std
    _, vectors = np.linalg.eigh(standard.T @ standard / len(standard))
    axes = vectors[:, ::-1][:, :dimension]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(dimension)])
    return Projection(teacher, mean.astype(np.float32), std.astype(np.float32), axes.astype(np.float32))
