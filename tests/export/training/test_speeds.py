"""A track at another speed is as much shorter and higher, and is made once."""

import numpy as np
import pytest

from export.data.corpus import Recording
from export.data.tracks import Track
from export.training.speeds import at_speeds, source_of

RATE_HZ, SECONDS, HZ = 16_000, 4, 1_000


@pytest.fixture
def recordings(tmp_path):
    sound = (8_000 * np.sin(2 * np.pi * HZ * np.arange(RATE_HZ * SECONDS) / RATE_HZ)).astype(np.int16)
    return [Recording(Track(f"p/{name}", "p", "train", tmp_path, name, "artist", "", "", None, "", SECONDS), sound)
            for name in ("one", "two")]


@pytest.mark.parametrize("number", [0, 1])
def test_it_is_shorter_and_higher_by_its_speed(recordings, tmp_path, number):
    speed = (0.8, 1.25)[number]
    sound = at_speeds(recordings, (0.8, 1.25), tmp_path)[number].sound
    assert len(sound) == pytest.approx(RATE_HZ * SECONDS / speed, abs=2)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    assert spectrum.argmax() * RATE_HZ / len(sound) == pytest.approx(HZ * speed, rel=1e-3)


def test_what_is_there_is_not_made_again(recordings, tmp_path):
    first = at_speeds(recordings, (0.8,), tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = at_speeds(recordings, (0.8,), tmp_path)
    assert len(times) == 2
    assert times == {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    np.testing.assert_array_equal(first[1].sound, again[1].sound)


def test_no_speeds_no_tracks(recordings, tmp_path):
    assert at_speeds(recordings, (), tmp_path / "none") == []
    assert not (tmp_path / "none").exists()


def test_the_source_is_the_track_that_it_was_made_of(recordings, tmp_path):
    changed = at_speeds(recordings, (0.8,), tmp_path)
    assert [source_of(recording.track.id) for recording in changed] == ["p/one", "p/two"]
    assert source_of("p/one") == "p/one"
