"""Speech and other sounds, in long chains that windows are cut from; the music bank is the third kind."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from edge.errors import MediaError
from export.data.decode import SAMPLE_RATE_HZ, decode
from export.data.fetch import fetch_all
from export.data.recipes import Package

SUFFIXES = frozenset({".wav", ".ogg", ".oga", ".flac", ".mp3"})
CHAIN_RMS, QUIET_RMS = 3_000.0, 30.0
GAP_SAMPLES = (800, 6_400)
LEAST_SAMPLES = 48_000
"""A clip shorter than a window is heard several times in a row."""
LONGEST_S, CLIP_S = 1_200, 20.0
NOISE_S = 60
SYLLABLE_SAMPLES, FADE_SAMPLES = (3_200, 9_600), 160
"""A syllable lasts for 0.2 to 0.6 s."""
MOST_SYLLABLES, LEAST_SAID_RMS = 500, 1_000.0
"""Chains are levelled to an RMS of 3,000; what is quieter than a third of that is a pause."""


def open_chain(package: Package, cache: Path, kind: str) -> np.ndarray:
    """All clips of a kind in one piece, each at one level: np.ndarray [shape=(n,), dtype=int16], <= 20 minutes.

    Short effects are heard several times in a row. Clips that are silent or damaged are left out.
    """
    drawn = hashlib.sha256(repr(package).encode()).hexdigest()
    path = cache / "chains" / f"{package.name}-{kind}-{drawn[:12]}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        files = package.files(fetch_all([package], cache)[package.name], kind)
        clips = [path for path in files if path.suffix.lower() in SUFFIXES]
        np.save(path, _chain(clips, package.name, repeat=kind == "effects"))
    return np.load(path, allow_pickle=False)


def _chain(paths: Sequence[Path], name: str, *, repeat: bool) -> np.ndarray:
    rng = np.random.default_rng(0)
    parts, total = [np.empty(0, np.int16)], 0
    for number in tqdm(rng.permutation(len(paths)), desc=name, unit="clip", disable=None):
        clip = levelled(paths[number])
        if clip is None:
            continue
        gap = np.zeros(rng.integers(*GAP_SAMPLES), np.int16)
        times = max(1, -(-LEAST_SAMPLES // (len(clip) + len(gap)))) if repeat else 1
        parts += [clip, gap] * times
        total += times * (len(clip) + len(gap))
        if total > LONGEST_S * SAMPLE_RATE_HZ:
            break
    return np.concatenate(parts)


def syllables(speech: np.ndarray, seed: int) -> np.ndarray:
    """Speech said one syllable at a time: pieces of it from anywhere, silence between them, int16 of at most 5 minutes.

    Words and phrases alone teach that what comes in short pieces is no speech, but an effect that is heard again.
    """
    rng = np.random.default_rng(seed)
    parts = [np.empty(0, np.int16)]
    for _ in range(min(len(speech) // SYLLABLE_SAMPLES[1], MOST_SYLLABLES)):
        length = int(rng.integers(*SYLLABLE_SAMPLES))
        start = int(rng.integers(len(speech) - length))
        piece = speech[start : start + length] * _fades(length)
        if np.sqrt(np.mean(np.square(piece))) > LEAST_SAID_RMS:
            parts += [piece.astype(np.int16), np.zeros(rng.integers(*GAP_SAMPLES), np.int16)]
    return np.concatenate(parts)


def _fades(length: int) -> np.ndarray:
    """Gain 0 to 1 and back to 0 within FADE_SAMPLES at each end: float32 (length,)."""
    up = np.minimum(np.arange(length, dtype=np.float32) / FADE_SAMPLES, 1)
    return up * up[::-1]


def levelled(path: Path) -> np.ndarray | None:
    """A clip, at most 20 s of it, at one root mean square; None when it is silent or damaged."""
    try:
        sound = decode(path, max_s=CLIP_S).astype(np.float32)
    except MediaError:
        return None
    rms = float(np.sqrt(np.mean(np.square(sound))))
    if rms < QUIET_RMS:
        return None
    return np.clip(sound * (CHAIN_RMS / rms), -32768, 32767).astype(np.int16)


def noises(seed: int) -> list[np.ndarray]:
    """What a room sounds like when nothing plays: white to brown noise and mains hum, int16 (960000,) each."""
    rng = np.random.default_rng(seed)
    samples = NOISE_S * SAMPLE_RATE_HZ
    hz = np.maximum(np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ), 20.0)
    found = []
    for slope in (0.0, 0.3, 0.6, 1.0):
        drawn = np.fft.irfft(np.fft.rfft(rng.normal(size=samples)) * hz**-slope)
        found.append(drawn / drawn.std())
    time = np.arange(samples) / SAMPLE_RATE_HZ
    for mains in (50, 60):
        partials = [np.sin(2 * np.pi * mains * k * time + rng.uniform(0, 6.28)) / k for k in range(1, 8)]
        hum = np.sum(partials, axis=0)
        found.append(hum / hum.std() + 0.3 * found[2])
    return [(sound * 2_000).astype(np.int16) for sound in found]
