"""What happens to sound on its way to a living-room microphone, for whole batches: room, band limit, noise.

No change of level: the front end takes the level out exactly.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from export.training.rooms import RATE_HZ, impulse_response, random_room

SPEECH_SHARE = 0.35
"""How much of the noise is speech; the rest is coloured noise between white and brown."""


@dataclass(frozen=True)
class Strength:
    """How often and how hard sound is changed."""

    room: float
    """Share of windows that are played in a room."""
    band: float
    """Share of windows that lose their lows and highs."""
    noise: float
    """Share of windows with noise."""
    snr_db: tuple[float, float]
    """Lowest and highest ratio of signal to noise."""


LIGHT = Strength(room=0.2, band=0.1, noise=0.3, snr_db=(15.0, 40.0))
HEAVY = Strength(room=0.7, band=0.4, noise=0.85, snr_db=(-2.0, 25.0))


class Augmenter:
    """Holds a bank of simulated rooms and a stretch of speech.

    ``speech`` is np.ndarray [shape=(samples,), dtype=int16] at 16 kHz, or None for coloured noise alone.
    """

    def __init__(self, *, rooms: int, speech: np.ndarray | None, seed: int):
        rng = np.random.default_rng(seed)
        self._rooms = [impulse_response(random_room(rng)) for _ in range(rooms)]
        self._speech = speech

    def apply(self, windows: np.ndarray, strength: Strength, rng: np.random.Generator) -> Tensor:
        """Change windows of sound: np.ndarray [shape=(n, samples)] at int16's scale -> float32 (n, samples)."""
        sound = torch.from_numpy(windows.astype(np.float32))
        sound = self._filtered(sound, strength, rng)
        return self._with_noise(sound, strength, rng)

    def _filtered(self, sound: Tensor, strength: Strength, rng: np.random.Generator) -> Tensor:
        samples = sound.shape[1]
        size = _fast_size(samples + max(map(len, self._rooms)))
        response = torch.zeros(len(sound), size)
        response[:, 0] = 1.0
        for row in np.flatnonzero(rng.random(len(sound)) < strength.room):
            room = self._rooms[rng.integers(len(self._rooms))]
            response[row, : len(room)] = torch.from_numpy(room)
        spectrum = torch.fft.rfft(sound, size) * torch.fft.rfft(response)
        spectrum *= torch.from_numpy(_band_masks(len(sound), size, strength.band, rng))
        return torch.fft.irfft(spectrum, size)[:, :samples]

    def _with_noise(self, sound: Tensor, strength: Strength, rng: np.random.Generator) -> Tensor:
        noise = torch.from_numpy(self._noise(*sound.shape, rng))
        snr_db = torch.from_numpy(rng.uniform(*strength.snr_db, len(sound)).astype(np.float32))
        gain = _rms(sound) / _rms(noise) * 10 ** (-snr_db[:, None] / 20)
        noisy = torch.from_numpy((rng.random(len(sound)) < strength.noise)[:, None])
        return torch.where(noisy, sound + gain * noise, sound)

    def _noise(self, n: int, samples: int, rng: np.random.Generator) -> np.ndarray:
        noise = coloured_noise(n, samples, rng)
        if self._speech is not None:
            for row in np.flatnonzero(rng.random(n) < SPEECH_SHARE):
                noise[row] = babble(self._speech, samples, int(rng.integers(1, 4)), rng)
        return noise


def coloured_noise(n: int, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Noise whose power falls by f**-a, a from 0 (white) over 1 (pink) to 2 (brown): float32 (n, samples)."""
    size = _fast_size(samples)
    frequency = np.maximum(np.fft.rfftfreq(size), 1 / size).astype(np.float32)
    white = rng.standard_normal((n, size), np.float32)
    slope = rng.uniform(0, 2, (n, 1)).astype(np.float32)
    return np.fft.irfft(np.fft.rfft(white) * frequency ** (-slope / 2), size)[:, :samples].astype(np.float32)


def babble(speech: np.ndarray, samples: int, talkers: int, rng: np.random.Generator) -> np.ndarray:
    """``talkers`` stretches of speech at once, each as loud as the others: float32 (samples,)."""
    starts = rng.integers(0, len(speech) - samples, talkers)
    parts = [speech[start : start + samples].astype(np.float32) for start in starts]
    return sum((part / (np.sqrt(np.mean(part**2)) + 1) for part in parts), np.zeros(samples, np.float32))


def _band_masks(n: int, size: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Gain per frequency, float32 (n, size // 2 + 1): small loudspeakers and telephone-like channels."""
    frequency = np.fft.rfftfreq(size, 1 / RATE_HZ).astype(np.float32)
    low = rng.uniform(60, 350, (n, 1)).astype(np.float32)
    high = rng.uniform(2800, 7500, (n, 1)).astype(np.float32)
    mask = 1 / (1 + (low / np.maximum(frequency, 1)) ** 4) / (1 + (frequency / high) ** 8)
    limited = (rng.random(n) < share)[:, None]
    return np.where(limited, np.sqrt(mask), 1).astype(np.float32)


def _rms(sound: Tensor) -> Tensor:
    return sound.square().mean(dim=1, keepdim=True).sqrt() + 1e-3


def _fast_size(samples: int) -> int:
    """The next length of the form 2**a * 3 or 2**a, for which the FFT is quick."""
    power = 1 << (samples - 1).bit_length()
    return power * 3 // 4 if power * 3 // 4 >= samples else power
