"""Decoding to 16 kHz mono int16: level, pitch, length and what is refused."""

import struct

import mutagen
import numpy as np
import pytest
import soundfile

from edge.errors import MediaError
from export.data.corpus import decode_all
from export.data.decode import SAMPLE_RATE_HZ, decode
from export.data.openmpt import Module
from export.data.recipes import Package
from export.data.tags import named_after_album, read_tags, title_from_name
from export.data.tracks import list_tracks


def _tone(path, rate_hz, seconds=2.0, hz=440.0, **how):
    time = np.arange(int(rate_hz * seconds)) / rate_hz
    soundfile.write(path, np.stack([0.5 * np.sin(2 * np.pi * hz * time)] * 2, axis=1), rate_hz, **how)
    return path


def _protracker(path, patterns=8):
    """A four-channel module with one looped square wave, which plays middle C on every row of each pattern."""
    names = b"square tune".ljust(20, b"\0")
    sample = b"s".ljust(22, b"\0") + struct.pack(">HBBHH", 16, 0, 64, 0, 16)
    rest = (b"\0" * 22 + struct.pack(">HBBHH", 0, 0, 0, 0, 1)) * 30
    order = bytes([patterns, 127]) + bytes(128)
    row = struct.pack(">HBB", 428, 0x10, 0) + b"\0" * 12
    path.write_bytes(names + sample + rest + order + b"M.K." + row * 64 + bytes([64] * 16 + [192] * 16))
    return path


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000, 192_000])
def test_rate_level_and_pitch(tmp_path, rate_hz):
    sound = decode(_tone(tmp_path / "tone.wav", rate_hz))
    assert sound.dtype == np.int16
    assert abs(len(sound) - 2 * SAMPLE_RATE_HZ) <= 2
    middle = sound[8_000:24_000].astype(float)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 * 32768 / np.sqrt(2), rel=0.01)
    assert np.abs(np.fft.rfft(middle)).argmax() == 440


def test_vorbis_and_a_limit(tmp_path):
    path = _tone(tmp_path / "tone.ogg", 44_100, format="OGG", subtype="VORBIS")
    assert len(decode(path, max_s=0.5)) == SAMPLE_RATE_HZ // 2


def test_a_tracker_module_plays_its_note(tmp_path):
    path = _protracker(tmp_path / "song.mod")
    with Module(path) as module:
        assert module.metadata("title") == "square tune"
        assert module.duration_s == pytest.approx(8 * 64 * 6 * 0.02, rel=0.01)
    assert np.abs(decode(path, max_s=3).astype(float)).mean() > 100
    assert read_tags(path).title == "square tune"


@pytest.mark.parametrize("name", ["x.wav", "x.mod", "x.ogg", "x.mp4"])
def test_what_is_no_sound_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"this is not a sound")
    with pytest.raises(MediaError, match=name):
        decode(tmp_path / name)


def test_an_empty_recording_is_refused(tmp_path):
    soundfile.write(tmp_path / "empty.wav", np.empty(0, np.int16), 16_000)
    with pytest.raises(MediaError, match="no sound"):
        decode(tmp_path / "empty.wav")


def test_nan_becomes_silence(tmp_path):
    soundfile.write(tmp_path / "nan.wav", np.full(16_000, np.nan), 16_000, subtype="FLOAT")
    assert not decode(tmp_path / "nan.wav").any()


def test_tracks_take_what_the_recipe_says_where_files_say_nothing(tmp_path):
    _tone(tmp_path / "01-castle_theme.wav", 8_000, seconds=41)
    _tone(tmp_path / "short.wav", 8_000, seconds=3)
    (tmp_path / "broken.ogg").write_bytes(b"OggS")
    package = Package("toy", "1", "debian", "0" * 64, "CC0", ("music",), "test", exclude=("skip/*",),
                      artist="A", album="B", genre="C", artist_from={"01-castle_theme": "D"})
    (track,) = list_tracks(package, tmp_path)
    assert (track.id, track.title, track.artist, track.album) == ("toy/01-castle-theme", "Castle theme", "D", "B")
    assert track.family == "d"
    assert track.duration_s == pytest.approx(41, abs=0.1)
    (recording,) = decode_all([track], tmp_path / "decoded")
    assert len(recording.sound) == pytest.approx(41 * 16_000, abs=4)
    (again,) = decode_all([track], tmp_path / "decoded")
    assert np.array_equal(again.sound, recording.sound)


@pytest.mark.parametrize(("name", "title"), [
    ("02-castle_theme.ogg", "Castle theme"), ("7.mod", "7"), ("A.B.wav", "A B"), ("music2.ogg", "Music2")])
def test_titles_from_names(tmp_path, name, title):
    assert title_from_name(tmp_path / name) == title


@pytest.mark.parametrize(("title", "album", "named"), [
    ("Track24", "Drascula", "Drascula, track 24"), ("Rybky01", "Fish Fillets", "Fish Fillets, rybky 1"),
    ("Ingame 14", "Widelands", "Widelands, ingame 14"), ("Track24", "", "Track24"), ("99 Balloons", "B", "99 Balloons"),
    ("Area 51 Blues", "B", "Area 51 Blues"), ("7", "B", "7"),
])
def test_a_numbered_file_is_named_after_its_album(title, album, named):
    assert named_after_album(title, album) == named


def test_a_title_that_several_files_have_was_copied(tmp_path):
    package = Package("toy", "1", "debian", "0" * 64, "CC0", ("music",), "test", album="B")
    for stem in ("ice_cave", "deep_sea"):
        sound = np.zeros(8_000 * 41, np.int16)
        soundfile.write(tmp_path / f"{stem}.flac", sound, 8_000)
        file = mutagen.File(tmp_path / f"{stem}.flac")
        file["title"] = "Living_Caves"
        file["artist"] = "???"
        file.save()
    named = [(track.title, track.artist) for track in list_tracks(package, tmp_path)]
    assert named == [("Deep sea", ""), ("Ice cave", "")]
