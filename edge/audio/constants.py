"""The MFCC constants of a bundle: the exporter took them from python_speech_features, the device multiplies.

They lie in one ``.npz`` beside the model: stored (not compressed) ``.npy`` members, one per array. The window
is float64: its rounding to float32 spreads every sound's spectrum at -150 dB, which moved the cepstrum of music
with an empty upper band by 1.5e-3. The others are float32. The reader takes exactly the arrays that the front
end's settings announce and parses nothing else; no pickle.
"""

import io
import math
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import BundleError
from edge.manifest import Fields

MAX_FILE_BYTES = 4 << 20
MAX_FFT_SIZE = 8192
MAX_FILTERS = 256
DTYPES = {"window": "<f8", "filterbank": "<f4", "basis": "<f4", "mean": "<f4", "std": "<f4"}


@dataclass(frozen=True)
class MfccConstants:
    """A mel-cepstrum definition as numbers to multiply with."""

    sample_rate_hz: int
    window_samples: int
    hop_samples: int
    fft_size: int
    preemphasis: float
    window: np.ndarray
    """[shape=(window_samples,), dtype=float64] The analysis window."""
    filterbank: np.ndarray
    """[shape=(filters, fft_size // 2 + 1), dtype=float32] Mel filters over the power spectrum."""
    basis: np.ndarray
    """[shape=(filters, coefficients), dtype=float32] Orthonormal DCT-II with the lifter folded in."""

    @property
    def coefficients(self) -> int:
        return self.basis.shape[1]

    @property
    def hop_s(self) -> float:
        return self.hop_samples / self.sample_rate_hz


@dataclass(frozen=True)
class Standardisation:
    """Mean and deviation of each coefficient over the training data, after level normalisation."""

    mean: np.ndarray
    """[shape=(coefficients,), dtype=float32]"""
    std: np.ndarray
    """[shape=(coefficients,), dtype=float32, range > 0]"""


def load_constants(npz_path: Path, frontend: dict[str, Any]) -> MfccConstants:
    """Read the constants that ``frontend`` (the manifest's settings, see edge/bundle.py) describes.

    Raises BundleError, naming the file, when a setting is missing or impossible, or when the file is not an
    ``.npz`` that holds exactly these arrays with finite values.
    """
    s = _settings(frontend, npz_path)
    filters, coefficients = s.pop("filters"), s.pop("coefficients")
    arrays: dict[str, Any] = _read_arrays(npz_path, {
        "window": (s["window_samples"],),
        "filterbank": (filters, s["fft_size"] // 2 + 1),
        "basis": (filters, coefficients),
    })
    return MfccConstants(**s, **arrays)


def load_standardisation(npz_path: Path, frontend: dict[str, Any]) -> Standardisation:
    """Read the per-coefficient mean and deviation. Raises BundleError as load_constants does."""
    coefficients = _settings(frontend, npz_path)["coefficients"]
    arrays = _read_arrays(npz_path, {"mean": (coefficients,), "std": (coefficients,)})
    if not (arrays["std"] > 0).all():
        raise BundleError(f"{npz_path}: 'std' must be above zero everywhere; export the bundle again")
    return Standardisation(**arrays)


def _settings(frontend: dict[str, Any], npz_path: Path) -> dict[str, Any]:
    fields = Fields(frontend, f"{npz_path}: frontend", BundleError)
    if fields.text("kind") != "mfcc":
        raise BundleError(f"{npz_path}: frontend kind {frontend['kind']!r:.40} is not 'mfcc'")
    fft_size = fields.integer("fft_size", 2, MAX_FFT_SIZE)
    window_samples = fields.integer("window_samples", 1, fft_size)
    filters = fields.integer("filters", 1, MAX_FILTERS)
    preemphasis = fields.number("preemphasis")
    if not 0 <= preemphasis <= 1:
        raise BundleError(f"{npz_path}: preemphasis = {preemphasis} must lie in 0 to 1")
    return {
        "sample_rate_hz": fields.integer("sample_rate_hz", 1000, 192_000),
        "window_samples": window_samples,
        "hop_samples": fields.integer("hop_samples", 1, window_samples),
        "fft_size": fft_size,
        "preemphasis": preemphasis,
        "filters": filters,
        "coefficients": fields.integer("coefficients", 1, filters),
    }


def _read_arrays(path: Path, shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Named arrays of an ``.npz``; each must have its dtype, the given shape and finite values."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BundleError(f"{path}: larger than the {MAX_FILE_BYTES} bytes of front-end constants")
        with zipfile.ZipFile(path) as archive:
            return {name: _read_array(archive, name, shape, path) for name, shape in shapes.items()}
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, RuntimeError) as error:
        raise BundleError(f"{path}: not the front end's .npz: {str(error)[:120]}") from error


def _read_array(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], path: Path) -> np.ndarray:
    member, expected = archive.getinfo(f"{name}.npy"), np.dtype(DTYPES[name])
    value_bytes = expected.itemsize * math.prod(shape)
    if member.compress_type != zipfile.ZIP_STORED or member.file_size > value_bytes + 4096:
        raise BundleError(f"{path}: {name!r} is compressed or larger than its shape {shape}")
    data = io.BytesIO(archive.read(member))
    if np.lib.format.read_magic(data) != (1, 0):
        raise BundleError(f"{path}: {name!r} is not in version 1.0 of the .npy format")
    found, fortran_order, dtype = np.lib.format.read_array_header_1_0(data)
    if found != shape or fortran_order or dtype != expected:
        raise BundleError(f"{path}: {name!r} must be {expected} {shape}, not {dtype} {found}")
    array = np.frombuffer(data.read(value_bytes), expected).reshape(shape)
    if not np.isfinite(array).all():
        raise BundleError(f"{path}: {name!r} holds values that are not finite; export the bundle again")
    return array
