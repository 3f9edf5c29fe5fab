"""Tracks at other speeds: pitch and length change together, the file is kept, and who it is stays told."""

from pathlib import Path

import numpy as np
import pytest

from export.data.corpus import Recording
from export.data.tracks import Track
from export.training.speeds import at_speeds

RATE_HZ, TONE_HZ = 16_000, 440


@pytest.fixture
def recordings():
    tone = (np.sin(2 * np.pi * TONE_HZ * np.arange(10 * RATE_HZ) / RATE_HZ) * 10_000).astype(np.int16)
    return [Recording(Track(f"games/tone {number}", "games", "train", Path("tone.ogg"), "Tone", "Somebody", "Tones", "",
                            None, "CC0-1.0", 10.0), tone) for number in range(3)]


def test_speeds_change_pitch_and_length_by_turns(recordings, tmp_path):
    changed = at_speeds(recordings, (0.8, 1.25), tmp_path)
    assert [len(each.sound) for each in changed] == [200_000, 128_000, 200_000]
    pitches_hz = [np.abs(np.fft.rfft(each.sound[:RATE_HZ])).argmax() for each in changed]
    assert pitches_hz == [352, 550, 352]
    assert [each.track.id for each in changed] == ["games/tone 0@0.8", "games/tone 1@1.25", "games/tone 2@0.8"]
    assert {each.track.family for each in changed} == {"somebody"}


def test_what_was_made_is_kept(recordings, tmp_path):
    at_speeds(recordings, (0.8,), tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(kept) == 3
    again = at_speeds(recordings, (0.8,), tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == kept
    assert all(each.sound.dtype == np.int16 for each in again)


def test_without_speeds_there_is_nothing_more(recordings, tmp_path):
    assert at_speeds(recordings, (), tmp_path) == []
