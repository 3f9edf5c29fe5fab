"""The .npy files of a snapshot, memory-mapped, each checked against what the manifest announces."""

from pathlib import Path

import numpy as np

from edge.errors import SnapshotError


def open_array(path: Path, dtype: type, shape: tuple[int, ...]) -> np.ndarray:
    """A read-only memory-mapped array. Raises SnapshotError when it is not of that dtype and shape."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False) if 0 not in shape else np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise SnapshotError(f"{path}: not an array file: {str(error)[:120]}") from error
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.shape != shape:
        found = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise SnapshotError(f"{path}: must be {np.dtype(dtype)} {shape}, not {found}")
    return array


def check_rows(path: Path, rows: np.ndarray, items: int) -> None:
    """Raises SnapshotError unless the rows ascend and lie within the items."""
    if len(rows) and (rows[0] < 0 or rows[-1] >= items or (np.diff(rows) < 0).any()):
        raise SnapshotError(f"{path}: item rows must ascend within 0 to {items - 1}")
