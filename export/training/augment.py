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
RATE_HZ = 16_000
KNOTS_HZ = np.geomspace(60, 8_000, 8)
INT16_PEAK = 32_767
STEEPNESS = 40
"""Order of the low pass of a sampling rate: 3 dB at its corner, 60 dB a fifth above."""


@dataclass(frozen=True)
class Strength:
    """How often and how much. Probabilities are per window; decibels and hertz as (low, high) ranges."""

    room: float = 0.5
    loudspeaker: float = 0.5
    loudspeaker_db: float = 6.0
    band: float = 0.3
    high_pass_hz: tuple[float, float] = (40.0, 300.0)
    low_pass_hz: tuple[float, float] = (3_000.0, 8_000.0)
    rate: float = 0.0
    """As if it had been stored at a lower sampling rate: nothing above ``rate_low_pass_hz``."""
    rate_low_pass_hz: tuple[float, float] = (3_400.0, 7_600.0)
    noise: float = 0.6
    noise_db: tuple[float, float] = (0.0, 30.0)
    voice: float = 0.3
    voice_db: tuple[float, float] = (0.0, 20.0)
    talkers: int = 3
    """One to so many people speak at once."""
    level_db: tuple[float, float] = (-40.0, 0.0)


LIGHT = Strength(room=0.1, loudspeaker=0.3, band=0.1, rate=0.1, noise=0.2, noise_db=(10.0, 30.0), voice=0.05)
HEAVY = Strength(room=0.8, rate=0.1, noise=0.8)


class RoomBank:
    """Responses of random rooms, made once: float32 (rooms, 8000)."""

    def __init__(self, rooms: int, seed: int):
        rng = np.random.default_rng(seed)
        responses = [torch.from_numpy(impulse_response(random_room(rng))) for _ in range(rooms)]
        self._responses = torch.nn.utils.rnn.pad_sequence(responses, batch_first=True)
        self._spectra: dict[int, Tensor] = {}

    def pick(self, numbers: np.ndarray, samples: int) -> Tensor:
        """Spectra of the rooms of these numbers (taken modulo the rooms that there are) for FFTs of a length."""
        if samples not in self._spectra:
            self._spectra[samples] = torch.fft.rfft(self._responses, samples)
        spectra = self._spectra[samples]
        return spectra[torch.from_numpy(numbers % len(spectra))]


class Augmenter:
    """Makes what a microphone would have heard. ``voices`` is one long int16 array of speech, or empty."""

    def __init__(self, rooms: RoomBank, voices: np.ndarray):
        self._rooms, self._voices = rooms, torch.from_numpy(voices)

    def __call__(self, spans: Tensor, strength: Strength, rng: np.random.Generator) -> Tensor:
        """Float (n, lead + samples) -> float32 (n, samples) at int16's scale, rounded as a converter would."""
        n, samples = spans.shape
        spectra = torch.fft.rfft(spans)
        for share, change in (
            (strength.room, self._room), (strength.loudspeaker, _loudspeaker), (strength.band, _band),
            (strength.noise, _noise), (strength.rate, _rate),
        ):
            rows = torch.from_numpy(np.flatnonzero(rng.random(n) < share))
            if len(rows):
                spectra[rows] = change(spectra[rows], samples, strength, rng)
        heard = torch.fft.irfft(spectra, samples)[:, LEAD_SAMPLES:]
        heard = heard + self._talk(heard, strength, rng)
        peak = heard.abs().amax(dim=1, keepdim=True).clamp_min(1.0)
        level = 10 ** (rng.uniform(*strength.level_db, (n, 1)) / 20)
        return (heard * (INT16_PEAK * _tensor(level) / peak)).round()

    def _room(self, spectra: Tensor, samples: int, _: Strength, rng: np.random.Generator) -> Tensor:
        return spectra * self._rooms.pick(rng.integers(1 << 31, size=len(spectra)), samples)

    def _talk(self, heard: Tensor, strength: Strength, rng: np.random.Generator) -> Tensor:
        """People speak over the music, at a stated ratio of the root mean squares."""
        n, samples = heard.shape
        talking, ratio_db = rng.random(n) < strength.voice, rng.uniform(*strength.voice_db, n)
        talkers = rng.integers(1, strength.talkers + 1, n) * talking
        speech = torch.zeros_like(heard)
        if len(self._voices) <= samples or not talkers.any():
            return speech
        rows = torch.from_numpy(np.repeat(np.arange(n), talkers))
        starts = torch.from_numpy(rng.integers(len(self._voices) - samples, size=len(rows)))
        said = self._voices[starts[:, None] + torch.arange(samples)].float()
        return scaled_to_ratio(speech.index_add_(0, rows, said), heard, _tensor(ratio_db))


def _loudspeaker(spectra: Tensor, samples: int, strength: Strength, rng: np.random.Generator) -> Tensor:
    """A smooth random gain over log frequency."""
    knots = _tensor(rng.normal(0, strength.loudspeaker_db / 2, (len(spectra), len(KNOTS_HZ))))
    place = np.interp(np.log(np.maximum(_hz(samples).numpy(), KNOTS_HZ[0])), np.log(KNOTS_HZ),
                      np.arange(len(KNOTS_HZ)))
    hats = np.maximum(0, 1 - np.abs(place - np.arange(len(KNOTS_HZ))[:, None]))
    return spectra * (knots @ _tensor(hats * (np.log(10) / 20))).exp_()


def _band(spectra: Tensor, samples: int, strength: Strength, rng: np.random.Generator) -> Tensor:
    """Second-order Butterworth magnitudes of a high pass and a low pass."""
    high, low = (_tensor(_log_uniform(band, len(spectra), rng)) for band in (strength.high_pass_hz,
                                                                            strength.low_pass_hz))
    fourth = _hz(samples).clamp_min(1.0) ** 4
    return spectra * ((1 + high**4 / fourth) * (1 + fourth / low**4)).rsqrt()


def _rate(spectra: Tensor, samples: int, strength: Strength, rng: np.random.Generator) -> Tensor:
    """The steep low pass of a lower sampling rate."""
    corner = _tensor(_log_uniform(strength.rate_low_pass_hz, len(spectra), rng))
    return spectra * (1 + (_hz(samples) / corner) ** STEEPNESS).rsqrt()


def _noise(spectra: Tensor, samples: int, strength: Strength, rng: np.random.Generator) -> Tensor:
    """White to brown noise, 1 / f^0 to 1 / f^2 in power, at a stated signal-to-noise ratio."""
    n = len(spectra)
    generator = torch.Generator().manual_seed(int(rng.integers(1 << 31)))
    slope, ratio_db = rng.uniform(0, 1, (n, 1)), rng.uniform(*strength.noise_db, (n, 1))
    octave = _hz(samples).clamp_min(20.0).log()
    drawn = torch.randn(*spectra.shape, 2, generator=generator)
    noise = torch.view_as_complex(drawn) * (-_tensor(slope) * octave).exp_()
    wanted = _power(spectra).sqrt() * 10 ** (-_tensor(ratio_db) / 20)
    return spectra + noise * (wanted / _power(noise).sqrt())


def scaled_to_ratio(disturbance: Tensor, wanted: Tensor, ratio_db: Tensor) -> Tensor:
    """Scale a disturbance (n, samples) so that wanted sound stands ``ratio_db`` (n,) above it, by power."""
    own = disturbance.square().mean(dim=1).sqrt().clamp_min(1e-6)
    target = wanted.square().mean(dim=1).sqrt() * 10 ** (-ratio_db / 20)
    return disturbance * (target / own)[:, None]


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))


def _hz(samples: int) -> Tensor:
    """Of each bin of the spectrum of so many samples."""
    return torch.arange(samples // 2 + 1) * (RATE_HZ / samples)


def _power(spectra: Tensor) -> Tensor:
    """Mean over the bins, (n, 1)."""
    return torch.view_as_real(spectra).flatten(1).square().mean(dim=1, keepdim=True) * 2


def _log_uniform(hz: tuple[float, float], n: int, rng: np.random.Generator) -> np.ndarray:
    low, high = np.log(hz)
    return np.exp(rng.uniform(low, high, (n, 1)))
