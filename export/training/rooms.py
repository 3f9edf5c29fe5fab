"""Simulated rooms: what a wall, a table and a distance do to sound before a microphone hears it.

Image-source method (Allen and Berkley, JASA 65(4), 1979) for a box with one absorption for all walls, which
Eyring's formula gives for the wanted reverberation time.
"""

from dataclasses import dataclass

import numpy as np

SPEED_M_S = 343.0
RATE_HZ = 16_000
MAX_RESPONSE_SAMPLES = 8_000
WALL_GAP_M = 0.3


@dataclass(frozen=True)
class Room:
    """A box: ``size_m``, ``source_m`` and ``microphone_m`` have shape (3,)."""

    size_m: np.ndarray
    source_m: np.ndarray
    microphone_m: np.ndarray
    reverberation_s: float
    """Until the sound has fallen by 60 dB."""


def random_room(rng: np.random.Generator) -> Room:
    """A living room of 3 x 2.5 x 2.3 to 8 x 6 x 3.2 m, reverberating for 0.15 to 0.6 s."""
    size = rng.uniform((3.0, 2.5, 2.3), (8.0, 6.0, 3.2))
    source, microphone = (rng.uniform(WALL_GAP_M, size - WALL_GAP_M) for _ in range(2))
    return Room(size, source, microphone, float(rng.uniform(0.15, 0.6)))


def impulse_response(room: Room) -> np.ndarray:
    """The room's response at 16 kHz, of energy 1, starting at the direct sound.

    Returns np.ndarray [shape=(<= 8000,), dtype=float32].
    """
    reflection = _reflection(room)
    reach_m = SPEED_M_S * min(room.reverberation_s, MAX_RESPONSE_SAMPLES / RATE_HZ)
    axes = [_images(room.size_m[a], room.source_m[a], room.microphone_m[a], reach_m) for a in range(3)]
    squares = [offset**2 for offset, _ in axes]
    distance = np.sqrt(squares[0][:, None, None] + squares[1][None, :, None] + squares[2][None, None, :])
    bounces = axes[0][1][:, None, None] + axes[1][1][None, :, None] + axes[2][1][None, None, :]
    near = distance < reach_m + np.min(distance)
    distance, gain = distance[near], reflection ** bounces[near]
    delay = np.round((distance - distance.min()) * RATE_HZ / SPEED_M_S).astype(np.int64)
    response = np.bincount(delay, gain / np.maximum(distance, 0.1))[:MAX_RESPONSE_SAMPLES]
    return (response / np.linalg.norm(response)).astype(np.float32)


def _reflection(room: Room) -> float:
    """Pressure reflection of the walls: Eyring, T60 = 24 ln 10 V / (-c S ln(1 - absorption))."""
    x, y, z = room.size_m
    surface = 2 * (x * y + y * z + z * x)
    return float(np.exp(-12 * np.log(10) * x * y * z / (SPEED_M_S * surface * room.reverberation_s)))


def _images(length: float, source: float, microphone: float, reach_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Along one axis: distance of each mirror image of the source from the microphone, and its wall bounces."""
    order = np.arange(-int(reach_m / (2 * length)) - 1, int(reach_m / (2 * length)) + 2)
    even = 2 * order * length + source - microphone
    odd = 2 * order * length - source - microphone
    return np.concatenate([even, odd]), np.concatenate([np.abs(2 * order), np.abs(2 * order - 1)])
