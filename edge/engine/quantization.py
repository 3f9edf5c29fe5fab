"""Between real numbers and the int8 grid of a model's tensor: real = (stored - zero_point) * scale.

Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only inference",
CVPR 2018, equation 1.
"""

import numpy as np

from edge.engine.base import TensorSpec


def quantize(values: np.ndarray, spec: TensorSpec, out: np.ndarray | None = None) -> np.ndarray:
    """Round real values to the grid, ties to even; what lies outside is clipped to -128..127.

    np.ndarray [shape=any, dtype=float] -> the same shape, int8, written to ``out`` where given.
    """
    grid = np.rint(values / np.float32(spec.scale))
    grid += spec.zero_point
    np.clip(grid, -128, 127, out=grid)
    if out is None:
        return grid.astype(np.int8)
    out[...] = grid
    return out


def dequantize(stored: np.ndarray, spec: TensorSpec) -> np.ndarray:
    """np.ndarray [shape=any, dtype=int8] -> the same shape, float32."""
    return (stored.astype(np.float32) - np.float32(spec.zero_point)) * np.float32(spec.scale)
