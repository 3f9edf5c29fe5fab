"""Front ends as the exporter writes them into a bundle.

The MFCC is defined by python_speech_features 0.6 (mfcc with appendEnergy). Its own functions give the mel
filterbank, the lifter and the rounding of window and hop; its DCT is scipy's orthonormal type II. The device
multiplies with these constants (edge/audio/mfcc.py) and needs neither library.
"""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.audio.constants import MfccConstants
from edge.errors import ExportError

AUDIO_CONSTANTS = "audio_frontend.npz"


@dataclass(frozen=True)
class MfccDefinition:
    """The arguments of python_speech_features.mfcc, with their units; the window is numpy.hamming."""

    sample_rate_hz: int = 16000
    window_s: float = 0.025
    hop_s: float = 0.010
    fft_size: int = 512
    filters: int = 40
    coefficients: int = 20
    low_hz: float = 0.0
    high_hz: float = 8000.0
    preemphasis: float = 0.97
    lifter: int = 22


def mfcc_constants(definition: MfccDefinition | None = None) -> MfccConstants:
    """Compute what the device multiplies with."""
    from python_speech_features import base, sigproc
    from scipy.fftpack import dct

    d = definition or MfccDefinition()
    window_samples = sigproc.round_half_up(d.window_s * d.sample_rate_hz)
    filterbank = base.get_filterbanks(d.filters, d.fft_size, d.sample_rate_hz, d.low_hz, d.high_hz)
    cosines = dct(np.eye(d.filters), type=2, axis=1, norm="ortho")[:, : d.coefficients]
    return MfccConstants(
        sample_rate_hz=d.sample_rate_hz,
        window_samples=window_samples,
        hop_samples=sigproc.round_half_up(d.hop_s * d.sample_rate_hz),
        fft_size=d.fft_size,
        preemphasis=d.preemphasis,
        window=np.hamming(window_samples),
        filterbank=filterbank.astype(np.float32),
        basis=base.lifter(cosines, d.lifter).astype(np.float32),
    )


def batch_mfcc(samples: np.ndarray, definition: MfccDefinition | None = None) -> np.ndarray:
    """MFCC of a whole signal by python_speech_features: the oracle, and what training uses.

    np.ndarray [shape=(n,), dtype=int16, n > 0] -> [shape=(frames, coefficients), dtype=float64]
    """
    import python_speech_features

    d = definition or MfccDefinition()
    return python_speech_features.mfcc(
        samples, d.sample_rate_hz, winlen=d.window_s, winstep=d.hop_s, numcep=d.coefficients, nfilt=d.filters,
        nfft=d.fft_size, lowfreq=d.low_hz, highfreq=d.high_hz, preemph=d.preemphasis, ceplifter=d.lifter,
        appendEnergy=True, winfunc=np.hamming,
    )


def write_audio_frontend(
    folder: Path, *, mean: np.ndarray, std: np.ndarray, definition: MfccDefinition | None = None
) -> dict[str, Any]:
    """Write the constants file into a bundle folder and return the manifest's ``frontend`` settings.

    ``mean`` and ``std`` [shape=(coefficients,)] are those of the level-normalised training frames. The same
    arguments give the same bytes. Raises ExportError when they do not fit the definition.
    """
    c = mfcc_constants(definition)
    arrays = {"window": c.window, "filterbank": c.filterbank, "basis": c.basis,
              "mean": _checked("mean", mean, c), "std": _checked("std", std, c)}
    if not (arrays["std"] > 0).all():
        raise ExportError("the front end's std must be above zero for every coefficient; is the data silent?")
    (folder / AUDIO_CONSTANTS).write_bytes(npz_bytes(arrays))
    return {
        "kind": "mfcc", "constants": AUDIO_CONSTANTS, "sample_rate_hz": c.sample_rate_hz,
        "window_samples": c.window_samples, "hop_samples": c.hop_samples, "fft_size": c.fft_size,
        "filters": c.filterbank.shape[0], "coefficients": c.coefficients, "preemphasis": c.preemphasis,
        "level_normalised": True,
    }


def image_frontend(*, mean: Sequence[float] = (127, 127, 127), std: Sequence[float] = (128, 128, 128)
                   ) -> dict[str, Any]:
    """The manifest's ``frontend`` settings of a video model: (value - mean) / std per RGB channel."""
    if len(mean) != 3 or len(std) != 3 or not np.isfinite([*mean, *std]).all() or min(std) <= 0:
        raise ExportError(f"an image front end needs three finite means and deviations above zero, "
                          f"not {mean} and {std}")
    return {"kind": "image", "mean": list(mean), "std": list(std)}


def npz_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    """Arrays as a stored ``.npz`` with a fixed date: equal arrays give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in sorted(arrays.items()):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), member.getvalue())
    return buffer.getvalue()


def _checked(name: str, values: np.ndarray, constants: MfccConstants) -> np.ndarray:
    array = np.asarray(values, np.float32)
    if array.shape != (constants.coefficients,) or not np.isfinite(array).all():
        raise ExportError(f"the front end's {name} must be {constants.coefficients} finite numbers, "
                          f"not shape {array.shape}")
    return array
