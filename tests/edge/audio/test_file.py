import sys
import tracemalloc

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.audio.source import open_audio
from edge.errors import MediaError, RuntimeMissingError, UsageError


def tone(rate_hz, seconds, channels=1, pitch_hz=440.0):
    """[shape=(n, channels), dtype=float64]: a sine of amplitude .5 in every channel."""
    time_s = np.arange(round(rate_hz * seconds)) / rate_hz
    return np.tile(0.5 * np.sin(2 * np.pi * pitch_hz * time_s)[:, None], (1, channels))


def read_all(path, **options):
    with open_audio(str(path), **options) as source:
        blocks = list(iter(source.read, None))
    return blocks, np.concatenate([block.samples for block in blocks])


@pytest.mark.parametrize(("suffix", "subtype", "rate_hz", "channels"), [
    (".wav", "PCM_16", 16000, 1),
    (".wav", "PCM_U8", 16000, 1),
    (".wav", "PCM_24", 192000, 2),
    (".wav", "FLOAT", 44100, 8),
    (".wav", "ULAW", 8000, 1),
    (".wav", "PCM_16", 11025, 2),
    (".flac", "PCM_16", 48000, 2),
    (".ogg", "VORBIS", 44100, 2),
    (".ogg", "OPUS", 48000, 1),
    (".mp3", "MPEG_LAYER_III", 44100, 2),
    (".aiff", "PCM_16", 22050, 1),
])
def test_any_format_becomes_the_same_sound(tmp_path, suffix, subtype, rate_hz, channels):
    path = tmp_path / f"tone{suffix}"
    soundfile.write(path, tone(rate_hz, 1.03, channels), rate_hz, subtype=subtype)
    _, samples = read_all(path)
    assert samples.dtype == np.int16
    assert samples.size == round(soundfile.info(path).frames * 16000 / rate_hz)
    middle = samples[2000:14000].astype(np.float64)
    wave = np.exp(2j * np.pi * 440 / 16000 * np.arange(middle.size))
    heard = (2 / middle.size * (middle @ wave.conj()) * wave).real
    assert np.abs(heard).max() == pytest.approx(16384, rel=0.02)
    assert np.std(middle - heard) < 300, "8-bit steps are 256 high"


def test_16_bit_mono_at_the_same_rate_is_not_touched(tmp_path):
    written = np.random.default_rng(0).integers(-32768, 32768, 50000).astype(np.int16)
    soundfile.write(tmp_path / "noise.wav", written, 16000)
    blocks, samples = read_all(tmp_path / "noise.wav")
    np.testing.assert_array_equal(samples, written)
    assert [block.samples.size for block in blocks] == [1280] * 39 + [80]
    assert [block.start_s for block in blocks] == pytest.approx([0.08 * n for n in range(40)])


@given(block_ms=st.integers(1, 3000), rate_hz=st.sampled_from([8000, 22050, 44100, 48000]))
@settings(max_examples=25, deadline=None)
def test_blocks_of_any_length_are_gap_free(tmp_path_factory, block_ms, rate_hz):
    path = tmp_path_factory.mktemp("cut") / "noise.wav"
    sound = np.random.default_rng(1).uniform(-0.5, 0.5, (rate_hz * 2 + 17, 2))
    soundfile.write(path, sound, rate_hz)
    blocks, samples = read_all(path, block_ms=block_ms)
    _, expected = read_all(path, block_ms=80)
    np.testing.assert_array_equal(samples, expected)
    assert {block.samples.size for block in blocks[:-1]} <= {16 * block_ms}
    assert samples.size == round(len(sound) * 16000 / rate_hz)


@pytest.mark.parametrize(("suffix", "subtype"), [
    (".mp3", "MPEG_LAYER_III"), (".ogg", "VORBIS"), (".flac", "PCM_16"), (".wav", "IMA_ADPCM"),
])
def test_reading_in_pieces_equals_reading_at_once(tmp_path, suffix, subtype):
    path = tmp_path / f"tone{suffix}"
    soundfile.write(path, tone(16000, 5.0), 16000, subtype=subtype)
    at_once, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_allclose(read_all(path)[1], np.clip(at_once * 32768, -32768, 32767), atol=1)


def test_channels_are_averaged(tmp_path):
    left, right = np.full(1600, 8000, np.int16), np.full(1600, -2000, np.int16)
    soundfile.write(tmp_path / "stereo.wav", np.stack([left, right], axis=1), 16000)
    assert set(read_all(tmp_path / "stereo.wav")[1].tolist()) == {3000}


def test_nan_and_infinity_become_silence_and_are_counted(tmp_path):
    sound = tone(44100, 1.0, 2).astype(np.float32)
    sound[1000, 0], sound[1000, 1], sound[20000:20005, 1] = np.nan, np.inf, -np.inf
    soundfile.write(tmp_path / "broken.wav", sound, 44100, subtype="FLOAT")
    with open_audio(str(tmp_path / "broken.wav")) as source:
        samples = np.concatenate([block.samples for block in iter(source.read, None)])
        assert source.replaced_samples == 6
    assert samples.size == 16000
    assert np.abs(samples).max() < 20000


def test_what_exceeds_full_scale_is_clipped(tmp_path):
    soundfile.write(tmp_path / "loud.wav", np.array([1e30, -1e30, 3e38, 0.25] * 400, np.float32), 16000, "FLOAT")
    assert set(read_all(tmp_path / "loud.wav")[1].tolist()) == {32767, -32768, 8192}


def test_a_long_file_is_never_whole_in_memory(tmp_path):
    with soundfile.SoundFile(tmp_path / "long.wav", "w", 48000, 2) as file:
        for _ in range(60):
            file.write(np.zeros((48000, 2), np.int16))
    with open_audio(str(tmp_path / "long.wav")) as source:
        source.read()
        tracemalloc.start()
        try:
            count = sum(block.samples.size for block in iter(source.read, None))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert count == 60 * 16000 - 1280
    assert peak < 1 << 20


def write_zero_length(path):
    soundfile.write(path, np.zeros((0, 1)), 16000)


BAD_FILES = {
    "empty.wav": (lambda path: path.write_bytes(b""), "is empty; copy it again"),
    "silence of no length.wav": (write_zero_length, "holds no sound"),
    "text.wav": (lambda path: path.write_text("not a sound at all\n" * 50), "not a sound or film file"),
    "header.wav": (lambda path: path.write_bytes(b"RIFF\xff\xff\xff\xffWAVEfmt "), "not a sound or film file"),
    "noise.raw": (lambda path: path.write_bytes(bytes(range(256)) * 40), "there is no sound in it"),
    "folder": (lambda path: path.mkdir(), "is a folder; give one"),
    "missing.wav": (lambda path: None, "there is no such file"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_one_sentence_that_names_it(tmp_path, name):
    make, said = BAD_FILES[name]
    path = tmp_path / name
    make(path)
    for spec in (str(path), f"file:{path}"):
        with pytest.raises(MediaError) as raised:
            open_audio(spec)
        assert str(path) in str(raised.value)
        assert said in str(raised.value)
        assert "\n" not in str(raised.value)


def test_devices_and_impossible_names_are_refused():
    with pytest.raises(MediaError, match="device or a pipe"):
        open_audio("/dev/zero")
    with pytest.raises(MediaError, match="cannot be read"):
        open_audio("a\0b.wav")
    with pytest.raises(MediaError, match="cannot be read"):
        open_audio("x" * 5000)
    with pytest.raises(UsageError, match="give mic, mic:NAME or file:PATH"):
        open_audio("file:")
    with pytest.raises(UsageError, match="hold no sample"):
        open_audio("mic", block_ms=0)


@pytest.mark.parametrize(("suffix", "subtype"), [
    (".wav", "PCM_16"), (".wav", "FLOAT"), (".flac", "PCM_16"), (".ogg", "VORBIS"), (".mp3", "MPEG_LAYER_III"),
])
@given(keep=st.floats(0.0, 1.0), flips=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=5))
@settings(max_examples=25, deadline=None)
def test_a_truncated_or_altered_file_plays_as_far_as_it_goes_or_says_so(
    tmp_path_factory, suffix, subtype, keep, flips
):
    folder = tmp_path_factory.mktemp("damaged")
    soundfile.write(folder / f"whole{suffix}", tone(22050, 0.7, 2), 22050, subtype=subtype)
    content = bytearray((folder / f"whole{suffix}").read_bytes())
    for where, value in flips:
        content[int(where * (len(content) - 1))] = value
    path = folder / f"damaged{suffix}"
    path.write_bytes(content[: int(keep * len(content))])
    try:
        _, samples = read_all(path)
    except MediaError as error:
        said = str(error)
    else:
        assert samples.size
        return
    assert str(path) in said


def test_truncated_sound_is_heard_up_to_there(tmp_path):
    soundfile.write(tmp_path / "whole.wav", tone(16000, 2.0), 16000)
    content = (tmp_path / "whole.wav").read_bytes()
    (tmp_path / "half.wav").write_bytes(content[: len(content) // 2])
    assert 15900 < read_all(tmp_path / "half.wav")[1].size < 16100


def test_after_close_there_is_nothing(tmp_path):
    soundfile.write(tmp_path / "tone.wav", tone(16000, 1.0), 16000)
    with open_audio(str(tmp_path / "tone.wav")) as source:
        assert source.description == "file tone.wav"
    assert source.read() is None


@pytest.mark.parametrize("module", ["soundfile", "soxr"])
def test_a_missing_package_is_named_with_its_extra(tmp_path, monkeypatch, module):
    soundfile.write(tmp_path / "tone.wav", tone(8000, 1.0), 8000)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(RuntimeMissingError, match=rf"{module} is not installed.*roomtone\[speaker\]"):
        open_audio(str(tmp_path / "tone.wav"))


def test_without_pyav_a_film_names_the_extra(tmp_path, monkeypatch):
    (tmp_path / "film.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(500))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MediaError, match=r"film\.mp4: not a sound file .*roomtone\[tv\]"):
        open_audio(str(tmp_path / "film.mp4"))
