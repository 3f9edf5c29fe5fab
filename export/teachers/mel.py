"""The log-mel spectrogram that musicnn was trained on.

It is librosa's ``melspectrogram``: power spectrum of periodic Hann windows, mel filters after Slaney's Auditory
Toolbox (linear below 1 kHz, logarithmic above, each of unit area), then log10(10000 x + 1). librosa centres its
frames by padding; a window out of the middle of a track has its neighbours instead, so nothing is padded here.
"""

import numpy as np
import torch
from torch import Tensor

RATE_HZ = 16_000
FFT_SIZE = 512
HOP_SAMPLES = 256
MELS = 96
LINEAR_HZ_PER_MEL = 200 / 3
BREAK_HZ, BREAK_MEL = 1000.0, 15.0
LOG_STEP = np.log(6.4) / 27


def hz_of_mel(mel: np.ndarray) -> np.ndarray:
    """Slaney's scale: 66.7 Hz a mel up to 1 kHz (15 mel), then a factor of 6.4 for every 27 mels."""
    above = BREAK_HZ * np.exp(LOG_STEP * (np.maximum(mel, BREAK_MEL) - BREAK_MEL))
    return np.where(mel < BREAK_MEL, LINEAR_HZ_PER_MEL * mel, above)


def mel_of_hz(hz: float) -> float:
    return hz / LINEAR_HZ_PER_MEL if hz < BREAK_HZ else BREAK_MEL + np.log(hz / BREAK_HZ) / LOG_STEP


def filterbank() -> np.ndarray:
    """Triangular filters of unit area: np.ndarray [shape=(96, 257), dtype=float32]."""
    edges = hz_of_mel(np.linspace(0.0, mel_of_hz(RATE_HZ / 2), MELS + 2))
    bins = np.fft.rfftfreq(FFT_SIZE, 1 / RATE_HZ)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


def log_mel(windows: Tensor, filters: Tensor) -> Tensor:
    """float32 sound (n, samples) in -1..1 -> (n, frames, 96), frames = (samples - 512) // 256 + 1."""
    hann = torch.hann_window(FFT_SIZE, periodic=True)
    frames = windows.unfold(1, FFT_SIZE, HOP_SAMPLES) * hann
    power = torch.fft.rfft(frames).abs().square()
    return torch.log10(10_000 * (power @ filters.T) + 1)
