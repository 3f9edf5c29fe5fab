"""The same recording is found again, others are not, whatever the order and the number of blocks."""

import numpy as np
import pytest

from export.catalog import copies
from export.catalog.copies import CopyFinder, agreement, same_recording
from export.catalog.vectors import as_stored


def track(seed: int, windows: int = 40, noise: float = 0.0) -> np.ndarray:
    """Windows that wander about a centre of their own, as music does: int8 (windows, 16)."""
    random = np.random.default_rng(seed)
    clean = random.standard_normal(16) + 0.5 * random.standard_normal((windows, 16))
    return as_stored(clean + noise * np.random.default_rng(seed + 1000).standard_normal(clean.shape))


def found(tracks: list[np.ndarray]) -> dict[str, str]:
    with CopyFinder() as finder:
        for number, windows in enumerate(tracks):
            finder.add(f"{number}", windows)
        return finder.copies(lambda key: tracks[int(key)])


@pytest.mark.parametrize("block", [2, 3, 2048])
def test_copies_are_found_and_named_after_the_first(monkeypatch, block):
    monkeypatch.setattr(copies, "BLOCK", block)
    tracks = [track(1), track(2), track(1, noise=0.1), track(3), track(1, noise=0.05), track(2), track(4)]
    assert found(tracks) == {"2": "0", "4": "0", "5": "1"}


def test_a_copy_may_begin_a_little_later():
    assert same_recording(track(1)[:-2], track(1)[2:])
    assert agreement(track(1)[:-2], track(1)[2:]) == pytest.approx(1, abs=0.01)


def test_another_length_is_another_recording():
    assert found([track(1, 100), track(1, 100)[:90]]) == {}


def test_short_sounds_are_the_same_only_to_the_bit():
    short = track(1, 3)
    assert same_recording(short, short.copy())
    assert not same_recording(short, track(1, 3, noise=0.05))


def test_the_same_music_played_in_another_order_is_another_recording():
    assert not same_recording(track(1), track(1)[::-1])


def test_nothing_is_no_copy():
    assert found([]) == {}
