"""Loudness: taken out of the cepstrum before the model, and judged to tell silence from sound."""

import numpy as np

# A Hamming window of 400 samples sums to 159 when squared; half of a spectrum's energy is on the side that is
# counted; pre-emphasis by .97 makes white noise 1 + .97 ** 2 times as strong.
SILENCE_RMS = 32768 * 10 ** (-80 / 20)
SILENCE_LOG_ENERGY = float(np.log(SILENCE_RMS**2 * 159 / 2 * (1 + 0.97**2)))
"""Log of the mean frame energy of white noise at -80 dBFS (3.3 of 32768, root mean square): a window with less is
silence. Digital silence and a sound card's own hiss lie below, a quiet room heard by a microphone above."""


def normalise_level(mfcc: np.ndarray) -> np.ndarray:
    """Make windows of frames independent of the gain that they were recorded with, in place.

    With python_speech_features' appendEnergy, column 0 is the log of the frame's energy: a gain g adds 2 ln g
    to it and nothing to the other columns. Subtracting the log of the window's mean energy removes g exactly.

    Parameters
    ----------
    mfcc : np.ndarray [shape=(..., frames, coefficients), dtype=float32 or float64]

    Returns
    -------
    The same array; the mean over frames of exp(column 0) is now 1.
    """
    mfcc[..., 0] -= log_mean_energy(mfcc)[..., np.newaxis]
    return mfcc


def log_mean_energy(mfcc: np.ndarray) -> np.ndarray:
    """Log of the mean frame energy of a window: [shape=(..., frames, coefficients)] -> [shape=(...)]."""
    log_energy = mfcc[..., 0]
    peak = log_energy.max(axis=-1, keepdims=True)
    return np.log(np.exp(log_energy - peak).mean(axis=-1)) + peak[..., 0]


def is_silent(mfcc: np.ndarray) -> np.ndarray:
    """Whether a window has less energy than SILENCE_LOG_ENERGY: [shape=(..., frames, coefficients)] -> bool (...)."""
    return log_mean_energy(mfcc) < SILENCE_LOG_ENERGY
