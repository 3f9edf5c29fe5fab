"""Streaming MFCC: the frames of python_speech_features, however the signal is cut into blocks.

The steps are those of python_speech_features 0.6, ``mfcc(..., appendEnergy=True)``: pre-emphasis,
overlapping windowed frames, power spectrum, mel energies, logarithm, DCT and lifter, column 0 replaced by the
log energy. Three things make it cheap: the energy is one more column of the filterbank, so that one product
yields it and the next puts it in place; every step writes into a buffer made at the start; and the views of those
buffers are made at the start too, one set for each number of frames, for making them took a fifth of the time of a
block that completes one frame.

Samples and spectra are float64: at float32 the FFT's rounding drowns the quiet bands of a tonal sound (a sine
of 16-bit samples comes out 2e-3 off). The product with the filterbank, the largest, is float32.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge.audio.constants import MfccConstants, load_constants
from edge.errors import ShapeError

__all__ = ["MfccConstants", "StreamingMfcc", "load_constants"]

# How many frames are transformed at a time: enough to spread numpy's cost per call, few enough that the
# buffers (about 9 KiB a frame) stay in a small core's second-level cache.
BATCH_FRAMES = 24
# python_speech_features puts float64's epsilon where an energy is zero.
ENERGY_FLOOR = float(np.finfo(np.float64).eps)


class StreamingMfcc:
    """Turns blocks of samples into MFCC frames as soon as each frame is complete.

    Nothing is allocated per block but the small objects of array views and what numpy itself takes and gives
    back within a call: its casting buffers and, on numpy 1, which lacks ``rfft(out=)``, the spectrum. A block
    longer than ``max_block_samples`` makes the output buffer grow, once.

    >>> mfcc = StreamingMfcc(constants)                 # doctest: +SKIP
    >>> mfcc.push(np.zeros(1280, np.int16)).shape       # doctest: +SKIP
    (6, 20)
    """

    def __init__(self, constants: MfccConstants, *, max_block_samples: int = 16000):
        self._window_samples, self._hop_samples = constants.window_samples, constants.hop_samples
        self._fft_size = constants.fft_size
        self._preemphasis = constants.preemphasis
        self._window = np.asarray(constants.window, np.float64)
        self._filterbank = _filterbank_with_energy(constants)
        self._basis = _basis_with_energy(constants)
        self._rfft = _real_fft()
        self._allocate(constants, max_block_samples)
        self.reset()

    def _allocate(self, constants: MfccConstants, max_block_samples: int) -> None:
        self._signal = np.zeros(self._window_samples + BATCH_FRAMES * self._hop_samples - 1)
        self._samples = np.zeros(1 + len(self._signal))
        self._batches = _batches(self._signal, constants)
        max_frames = max_block_samples // self._hop_samples + 1
        self._out = np.zeros((max_frames, constants.coefficients), np.float32)

    def reset(self) -> None:
        """Forget the signal so far; the next sample is the first of a new one."""
        self._filled = 0
        self._samples[0] = 0
        self._any_frame = False

    def push(self, block: np.ndarray) -> np.ndarray:
        """Feed samples, get the MFCC frames that they complete.

        Parameters
        ----------
        block : np.ndarray [shape=(n,), dtype=int16]
            Samples at the constants' rate, any n >= 0.

        Returns
        -------
        np.ndarray [shape=(frames, coefficients), dtype=float32]
            A view of an internal buffer, valid until the next call.

        Raises ShapeError when the block is not a row of int16 samples.
        """
        if block.ndim != 1 or block.dtype != np.int16:
            raise ShapeError(f"the MFCC takes int16 samples of shape (n,), not {block.dtype} {block.shape}")
        self._reserve(block.size)
        start = frames = 0
        while start < block.size:
            end = start + len(self._signal) - self._filled
            self._append(block[start:end])
            start = end
            frames += self._transform(self._out[frames:])
        return self._out[:frames]

    def flush(self) -> np.ndarray:
        """End the signal: the last frame, filled up with zeros after pre-emphasis, if samples are left over.

        Returns [shape=(0 or 1, coefficients), dtype=float32] as push does; the next push starts a new signal.
        """
        covered = self._window_samples - self._hop_samples if self._any_frame else 0
        frames = 0
        if self._filled > covered:
            self._signal[self._filled : self._window_samples] = 0
            self._filled = self._window_samples
            frames = self._transform(self._out)
        self.reset()
        return self._out[:frames]

    def _reserve(self, block_samples: int) -> None:
        needed = block_samples // self._hop_samples + 1
        if needed > len(self._out):
            self._out = np.zeros((needed, self._out.shape[1]), np.float32)

    def _append(self, samples: np.ndarray) -> None:
        """Pre-emphasise: y[t] = x[t] - preemphasis * x[t - 1], where x[-1] is 0."""
        size, taken = samples.size, self._samples
        taken[1 : size + 1] = samples
        target = self._signal[self._filled : self._filled + size]
        np.multiply(taken[:size], -self._preemphasis, out=target)
        np.add(target, taken[1 : size + 1], out=target)
        taken[0] = taken[size]
        self._filled += size

    def _transform(self, out: np.ndarray) -> int:
        """Write the frames that are complete to ``out``, keep the samples that later frames need."""
        frames = (self._filled - self._window_samples) // self._hop_samples + 1
        if frames <= 0:
            return 0
        batch = self._batches[frames - 1]
        self._power_spectrum(batch)
        logs = batch.log_energies
        np.dot(batch.power, self._filterbank, out=batch.energies)  # of one row, np.matmul takes half as long again
        logs[:] = batch.energies
        np.maximum(logs, ENERGY_FLOOR, out=logs)
        np.log(logs, out=logs)
        np.dot(logs, self._basis, out=batch.cepstrum)
        out[:frames] = batch.cepstrum
        self._drop(frames * self._hop_samples)
        self._any_frame = True
        return frames

    def _power_spectrum(self, batch: "_Batch") -> None:
        np.multiply(batch.windows, self._window, out=batch.windowed)
        self._rfft(batch.framed, batch.spectrum)
        np.multiply(batch.parts, batch.parts, out=batch.parts)
        np.add(batch.real, batch.imaginary, out=batch.power, casting="same_kind")

    def _drop(self, samples: int) -> None:
        left = self._filled - samples
        self._signal[:left] = self._signal[samples : self._filled]
        self._filled = left


@dataclass(frozen=True)
class _Batch:
    """The buffers that so many frames are transformed in, shape (frames, ...)."""

    windows: np.ndarray
    """The frames' samples, overlapping, in the signal itself."""
    framed: np.ndarray
    windowed: np.ndarray
    """``framed`` without the zeros that fill a frame up to the FFT's size."""
    spectrum: np.ndarray
    parts: np.ndarray
    """``spectrum`` as float64: real, imaginary, real, ..."""
    real: np.ndarray
    imaginary: np.ndarray
    power: np.ndarray
    energies: np.ndarray
    log_energies: np.ndarray
    cepstrum: np.ndarray


def _batches(signal: np.ndarray, constants: MfccConstants) -> list[_Batch]:
    """For 1 to BATCH_FRAMES frames, all in the same memory."""
    filters, bins = constants.filterbank.shape
    windows = np.lib.stride_tricks.sliding_window_view(signal, constants.window_samples)[:: constants.hop_samples]
    framed = np.zeros((BATCH_FRAMES, constants.fft_size))
    spectrum = np.zeros((BATCH_FRAMES, bins), np.complex128)
    parts = spectrum.view(np.float64)
    buffers = (windows, framed, framed[:, : constants.window_samples], spectrum, parts, parts[:, 0::2], parts[:, 1::2],
               np.zeros((BATCH_FRAMES, bins), np.float32), np.zeros((BATCH_FRAMES, filters + 1), np.float32),
               np.zeros((BATCH_FRAMES, filters + 1)), np.zeros((BATCH_FRAMES, constants.coefficients)))
    return [_Batch(*(buffer[:frames] for buffer in buffers)) for frames in range(1, BATCH_FRAMES + 1)]


def _filterbank_with_energy(constants: MfccConstants) -> np.ndarray:
    """[shape=(bins, filters + 1), dtype=float32]: the filters and a column of ones, over the FFT size.

    Each column lies in one piece, as BLAS multiplies a single row fastest.
    """
    filters, bins = constants.filterbank.shape
    rows = np.ones((filters + 1, bins), np.float32)
    rows[:filters] = constants.filterbank
    return (rows / np.float32(constants.fft_size)).T


def _basis_with_energy(constants: MfccConstants) -> np.ndarray:
    """[shape=(filters + 1, coefficients), dtype=float64]: the last row puts the log energy into column 0."""
    filters, coefficients = constants.basis.shape
    basis = np.zeros((filters + 1, coefficients))
    basis[:filters, 1:] = constants.basis[:, 1:]
    basis[filters, 0] = 1
    return basis


def _real_fft() -> Callable[[np.ndarray, np.ndarray], object]:
    """The FFT of real rows into a given buffer; numpy has ``rfft(out=)`` from version 2 on."""
    if int(np.__version__.partition(".")[0]) >= 2:
        return lambda rows, out: np.fft.rfft(rows, out=out)

    def copying(rows: np.ndarray, out: np.ndarray) -> None:
        out[:] = np.fft.rfft(rows)

    return copying
