"""From the file to the living room: room, loudspeaker, band limits, noise, voices, level.

Everything linear happens in one forward and one backward FFT of the whole batch. Windows carry a lead-in, so that
a room's tail reaches into the window from before it, as it does in a room.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from export.training.frontend import WINDOW_SAMPLES
from export.training.rooms import impulse_response, random_room

LEAD_SAMPLES = 9_360
SPAN_SAMPLES = LEAD_SAMPLES + WINDOW_SAMPLES
"""57,600 = 2^8 x 3^2 x 5^2, a length that FFTs like."""
BINS = SPAN_SAMPLES // 2 + 1
RATE_HZ = 16_000
KNOTS_HZ = np.geomspace(60, 8_000, 8)
INT16_PEAK = 32_767


@dataclass(frozen=True)
class Strength:
    """How often and how much. Probabilities are per window; decibels and hertz as (low, high) ranges."""

    room: float = 0.5
    loudspeaker: float = 0.5
    loudspeaker_db: float = 6.0
    band: float = 0.3
    high_pass_hz: tuple[float, float] = (40.0, 300.0)
    low_pass_hz: tuple[float, float] = (3_000.0, 8_000.0)
    noise: float = 0.6
    noise_db: tuple[float, float] = (0.0, 30.0)
    voice: float = 0.3
    voice_db: tuple[float, float] = (0.0, 20.0)
    talkers: int = 3
    """One to so many people speak at once."""
    level_db: tuple[float, float] = (-40.0, 0.0)


LIGHT = Strength(room=0.15, loudspeaker=0.3, band=0.15, noise=0.25, noise_db=(10.0, 30.0), voice=0.05)
HEAVY = Strength()


class RoomBank:
    """Spectra of random rooms' responses, made once: complex64 (rooms, BINS)."""

    def __init__(self, rooms: int, seed: int):
        rng = np.random.default_rng(seed)
        responses = [impulse_response(random_room(rng)) for _ in range(rooms)]
        self._spectra = torch.stack([torch.fft.rfft(torch.from_numpy(r), SPAN_SAMPLES) for r in responses])

    def pick(self, rng: np.random.Generator, windows: int) -> Tensor:
        return self._spectra[torch.from_numpy(rng.integers(len(self._spectra), size=windows))]


class Augmenter:
    """Makes what a microphone would have heard. ``voices`` is one long int16 array of speech, or empty."""

    def __init__(self, rooms: RoomBank, voices: np.ndarray):
        self._rooms, self._voices = rooms, voices

    def __call__(self, spans: np.ndarray, strength: Strength, rng: np.random.Generator) -> Tensor:
        """int16 or float (n, 57600) -> float32 (n, 48240) at int16's scale, rounded as a converter would."""
        sound = torch.from_numpy(spans.astype(np.float32))
        spectra = torch.fft.rfft(sound) * self._transfer(len(spans), strength, rng)
        spectra += _noise(spectra, strength, rng)
        heard = torch.fft.irfft(spectra, SPAN_SAMPLES)[:, LEAD_SAMPLES:]
        heard = heard + self._talk(heard, strength, rng)
        peak = heard.abs().amax(dim=1, keepdim=True).clamp_min(1.0)
        level = 10 ** (rng.uniform(*strength.level_db, (len(spans), 1)) / 20)
        return (heard * (INT16_PEAK * torch.from_numpy(level).float() / peak)).round()

    def _transfer(self, windows: int, strength: Strength, rng: np.random.Generator) -> Tensor:
        """Room times loudspeaker times band, complex64 (windows, BINS)."""
        transfer = torch.ones(windows, BINS, dtype=torch.complex64)
        if rooms := torch.from_numpy(np.flatnonzero(rng.random(windows) < strength.room)).long().tolist():
            transfer[rooms] = self._rooms.pick(rng, len(rooms))
        return transfer * (_loudspeaker(windows, strength, rng) * _band(windows, strength, rng))

    def _talk(self, heard: Tensor, strength: Strength, rng: np.random.Generator) -> Tensor:
        """People speak over the music, at a stated ratio of the root mean squares."""
        talking = (rng.random(len(heard)) < strength.voice) & (len(self._voices) > WINDOW_SAMPLES)
        ratio_db = rng.uniform(*strength.voice_db, len(heard))
        speech = np.zeros((len(heard), WINDOW_SAMPLES), np.float32)
        for row in np.flatnonzero(talking):
            for start in rng.integers(len(self._voices) - WINDOW_SAMPLES, size=rng.integers(1, strength.talkers + 1)):
                speech[row] += self._voices[start : start + WINDOW_SAMPLES]
        return scaled_to_ratio(torch.from_numpy(speech), heard, torch.from_numpy(ratio_db).float())


def scaled_to_ratio(disturbance: Tensor, wanted: Tensor, ratio_db: Tensor) -> Tensor:
    """Scale a disturbance (n, samples) so that wanted sound stands ``ratio_db`` (n,) above it, by power."""
    own = disturbance.square().mean(dim=1).sqrt().clamp_min(1e-6)
    target = wanted.square().mean(dim=1).sqrt() * 10 ** (-ratio_db / 20)
    return disturbance * (target / own)[:, None]


def _loudspeaker(windows: int, strength: Strength, rng: np.random.Generator) -> Tensor:
    """A smooth random gain over log frequency, float32 (windows, BINS)."""
    uneven = rng.random((windows, 1)) < strength.loudspeaker
    knots = rng.normal(0, strength.loudspeaker_db / 2, (windows, len(KNOTS_HZ))) * uneven
    place = np.interp(np.log(np.maximum(_bin_hz(), KNOTS_HZ[0])), np.log(KNOTS_HZ), np.arange(len(KNOTS_HZ)))
    low = np.minimum(place.astype(int), len(KNOTS_HZ) - 2)
    gain_db = knots[:, low] * (1 - place + low) + knots[:, low + 1] * (place - low)
    return torch.from_numpy((10 ** (gain_db / 20)).astype(np.float32))


def _band(windows: int, strength: Strength, rng: np.random.Generator) -> Tensor:
    """Second-order Butterworth magnitudes of a high pass and a low pass, float32 (windows, BINS)."""
    limited = rng.random((windows, 1)) < strength.band
    high = _log_uniform(strength.high_pass_hz, windows, rng)
    low = _log_uniform(strength.low_pass_hz, windows, rng)
    hz = np.maximum(_bin_hz(), 1.0)[None]
    passed = 1 / np.sqrt((1 + (high / hz) ** 4) * (1 + (hz / low) ** 4))
    return torch.from_numpy(np.where(limited, passed, 1.0).astype(np.float32))


def _log_uniform(hz: tuple[float, float], windows: int, rng: np.random.Generator) -> np.ndarray:
    low, high = np.log(hz)
    return np.exp(rng.uniform(low, high, (windows, 1)))


def _noise(spectra: Tensor, strength: Strength, rng: np.random.Generator) -> Tensor:
    """White to brown noise, 1 / f^0 to 1 / f^2 in power, at a stated signal-to-noise ratio."""
    windows = len(spectra)
    generator = torch.Generator().manual_seed(int(rng.integers(1 << 31)))
    slope = torch.from_numpy(rng.uniform(0, 1, (windows, 1))).float()
    hz = torch.from_numpy(np.maximum(_bin_hz(), 20.0)).float()
    noise = torch.view_as_complex(torch.randn(windows, BINS, 2, generator=generator)) * hz ** -slope
    ratio_db = torch.from_numpy(rng.uniform(*strength.noise_db, windows)).float()
    wanted = spectra.abs().square().mean(dim=1).sqrt() * 10 ** (-ratio_db / 20)
    heard = torch.from_numpy(rng.random(windows) < strength.noise)
    return noise * (wanted * heard / noise.abs().square().mean(dim=1).sqrt())[:, None]


def _bin_hz() -> np.ndarray:
    return np.arange(BINS) * (RATE_HZ / SPAN_SAMPLES)
