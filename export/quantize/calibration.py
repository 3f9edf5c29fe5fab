"""What a model is calibrated and judged on: media or arrays from a folder, through the bundle's own front end.

Whole files go either to calibration or to validation, so that no window is judged that a neighbour calibrated.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from edge.errors import ExportError, MediaError
from export.damage import DAMAGED

VALIDATION_EVERY = 3
"""Every third file is kept for validation."""
MOST_INPUTS = 256
"""Of each kind; more changes no range that matters and costs time."""
MOST_PER_FILE = 16
LEAST_FILES = 4


class InputReader(Protocol):
    """A front end as the exporter sees it: from a file to what the model takes."""

    suffixes: frozenset[str]
    """File name endings, lower case, that are tried."""
    what: str
    """What a file holds, as ``sound``."""

    def read(self, path: Path) -> np.ndarray:
        """np.ndarray [shape=(n, ...), dtype=float32], n >= 0. Raises MediaError."""


@dataclass(frozen=True)
class Split:
    """np.ndarray [shape=(n, ...), dtype=float32] twice, from different files where there are several."""

    calibration: np.ndarray
    validation: np.ndarray
    files: int
    skipped: tuple[str, ...]
    """Files that could not be read, and why."""


def collect(folder: Path, reader: InputReader) -> Split:
    """Read a folder, deepest files included, in the order of their names.

    Raises ExportError when it is missing, empty, of the wrong kind, or holds too little.
    """
    files = _files(folder, reader)
    parts: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    skipped = []
    for path in tqdm(files, desc="calibration files", unit="file", disable=None):
        try:
            inputs = _spread(reader.read(path), MOST_PER_FILE if len(files) > 1 else 2 * MOST_INPUTS)
        except MediaError as error:
            skipped.append(str(error))
            continue
        if len(inputs):
            read = len(parts[0]) + len(parts[1])
            parts[read % VALIDATION_EVERY == VALIDATION_EVERY - 1].append(inputs)
    if not parts[0]:
        raise ExportError(f"{folder}: none of its {len(files)} files gave {reader.what} to calibrate on"
                          + (f": {skipped[0]}" if skipped else ""))
    calibration, validation = _divided(parts)
    return Split(calibration, validation, len(files), tuple(skipped))


def _files(folder: Path, reader: InputReader) -> list[Path]:
    if not folder.is_dir():
        raise ExportError(f"--calibrate {folder}: there is no such folder; give one of {reader.what} files")
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    if not found:
        raise ExportError(f"--calibrate {folder}: the folder is empty; put {reader.what} files into it")
    fitting = [path for path in found if path.suffix.lower() in reader.suffixes]
    if not fitting:
        raise ExportError(f"--calibrate {folder}: none of its {len(found)} files is {reader.what} "
                          f"({found[0].name}, ...); it takes {', '.join(sorted(reader.suffixes))}")
    return fitting


def _divided(parts: tuple[list[np.ndarray], list[np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Limit both halves; a single file's inputs are divided at a point in time."""
    first, second = parts
    if not second:
        joined = np.concatenate(first)
        cut = len(joined) * (VALIDATION_EVERY - 1) // VALIDATION_EVERY
        first, second = [joined[:cut]], [joined[cut:]]
    return _spread(np.concatenate(first), MOST_INPUTS), _spread(np.concatenate(second), MOST_INPUTS)


def _spread(inputs: np.ndarray, most: int) -> np.ndarray:
    """At most so many, evenly spaced."""
    if len(inputs) <= most:
        return inputs
    return inputs[np.linspace(0, len(inputs) - 1, most).round().astype(int)]


class ArrayReader:
    """Inputs that are ready: ``.npy`` files of one input or many, float32 after the front end."""

    suffixes = frozenset({".npy"})
    what = "array"

    def __init__(self, input_shape: tuple[int, ...]):
        self._shape = input_shape[1:]

    def read(self, path: Path) -> np.ndarray:
        try:
            array = np.load(path, allow_pickle=False)
        except DAMAGED as error:
            raise MediaError(f"{path}: not an array that can be read: {str(error)[:120]}") from error
        if not np.issubdtype(array.dtype, np.number):
            raise MediaError(f"{path}: holds {array.dtype}, not numbers")
        if array.shape == self._shape:
            array = array[np.newaxis]
        if array.shape[1:] != self._shape:
            raise MediaError(f"{path}: has shape {array.shape}, the model takes {('n', *self._shape)}")
        return array.astype(np.float32)


def data_document(split: Split) -> dict[str, Any]:
    """What a report says about the data."""
    return {"files": split.files, "calibration_inputs": len(split.calibration),
            "validation_inputs": len(split.validation), "skipped": list(split.skipped)}
