import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from edge.audio.film import _as_float
from edge.audio.source import open_audio
from edge.errors import MediaError

DAMAGED = Path(__file__).parents[2] / "data" / "audio" / "channels.mp4"


def write_film(path, *, seconds=1.0, sound=True, pictures=True, title="", rate_hz=48000):
    """A film of grey pictures and a 500 Hz tone of amplitude .5, left louder than right."""
    with av.open(str(path), "w") as film:
        film.metadata["title"] = title
        video = film.add_stream("mpeg4", rate=25) if pictures else None
        audio = film.add_stream("flac" if path.suffix == ".mkv" else "aac", rate=rate_hz) if sound else None
        if video:
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        if audio:
            audio.layout = "stereo"
        for part in range(round(5 * seconds)):
            if video:
                film.mux([packet for picture in _pictures(part) for packet in video.encode(picture)])
            if audio:
                film.mux(audio.encode(_fifth_of_a_second(part, rate_hz)))
        for stream in film.streams:
            film.mux(stream.encode(None))
    return path


def _pictures(part):
    """Five, as grey as their number."""
    for number in range(5 * part, 5 * part + 5):
        yield av.VideoFrame.from_ndarray(np.full((48, 64, 3), number % 256, np.uint8), format="rgb24")


def _fifth_of_a_second(part, rate_hz):
    count = rate_hz // 5
    wave = 32767 * np.sin(2 * np.pi * 500 * np.arange(part * count, part * count + count) / rate_hz)
    samples = np.round(np.stack([0.75 * wave, 0.25 * wave], axis=1)).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="stereo")
    frame.sample_rate, frame.pts = rate_hz, part * count
    return frame


def read_all(path):
    with open_audio(str(path)) as source:
        return np.concatenate([block.samples for block in iter(source.read, None)])


def test_a_films_sound_is_its_channels_average(tmp_path):
    samples = read_all(write_film(tmp_path / "film.mkv", seconds=1.6))
    assert samples.size == 25600
    expected = 16384 * np.sin(2 * np.pi * 500 * np.arange(25600) / 16000)
    assert np.abs(samples - expected)[200:-200].max() < 20


def test_a_film_of_another_codec_and_rate(tmp_path):
    samples = read_all(write_film(tmp_path / "film.mp4", rate_hz=44100))
    assert 15900 < samples.size < 17100, "AAC adds what fills its frames"
    assert np.std(samples[3000:13000]) == pytest.approx(16384 / np.sqrt(2), rel=0.03)


def test_a_film_without_pictures(tmp_path):
    assert read_all(write_film(tmp_path / "sound.mp4", pictures=False)).size > 15900


def test_a_film_without_sound_says_so(tmp_path):
    write_film(tmp_path / "silent.mp4", sound=False)
    with pytest.raises(MediaError, match=r"silent\.mp4: there is no sound in it; .* video source"):
        open_audio(str(tmp_path / "silent.mp4"))


def test_sound_that_ffmpeg_has_no_decoder_for_says_so(tmp_path):
    path = write_film(tmp_path / "film.mkv")
    path.write_bytes(path.read_bytes().replace(b"A_FLAC", b"A_XLAC"))
    with pytest.raises(MediaError, match="no decoder for its sound"):
        read_all(path)


def test_a_title_in_an_old_encoding_does_not_matter(tmp_path):
    path = write_film(tmp_path / "film.mkv", title="MARKERMARKER")
    path.write_bytes(path.read_bytes().replace(b"MARKERMARKER", b"\xe9\xff\xfe caf\xe9 \xe8\xe8"))
    assert read_all(path).size == 16000


@pytest.mark.parametrize("name", ["film.mkv", "film.mp4"])
def test_a_film_that_breaks_off(tmp_path, name):
    content = write_film(tmp_path / name, seconds=2.0).read_bytes()
    for share in (0.02, 0.3, 0.6, 0.95):
        path = tmp_path / f"{share}-{name}"
        path.write_bytes(content[: int(share * len(content))])
        try:
            samples = read_all(path)
        except MediaError as error:
            said = str(error)
        else:
            assert 0 < samples.size < 32000
            continue
        assert str(path) in said


def test_damage_in_the_middle_costs_only_what_is_damaged(tmp_path):
    path = write_film(tmp_path / "film.mp4", seconds=4.0, pictures=False)
    content = bytearray(path.read_bytes())
    whole = read_all(path).size
    middle = content.index(b"mdat") + len(content) // 3
    content[middle : middle + 300] = bytes(300)
    path.write_bytes(content)
    assert 0.7 * whole < read_all(path).size <= whole


def test_frames_whose_channels_do_not_add_up_are_left_out():
    """An altered AAC track says in its middle that it has 42 channels: of such frames PyAV 18 reads 44 and 56."""
    script = "import sys; from tests.edge.audio.test_film import read_all; print(read_all(sys.argv[1]).size)"
    done = subprocess.run([sys.executable, "-c", script, DAMAGED], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert 1024 < int(done.stdout) <= 16 * 1024


def test_a_playlist_leads_nowhere(tmp_path):
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"
    (tmp_path / "list.m3u8").write_text(playlist)
    with pytest.raises(MediaError, match=r"list\.m3u8"):
        open_audio(str(tmp_path / "list.m3u8"))


def test_a_change_of_rate_and_layout_midway_keeps_one_rate():
    def piece(rate_hz, layout, channels):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1000 * channels), np.int16), format="s16", layout=layout)
        frame.sample_rate = rate_hz
        return frame

    frames = [piece(48000, "stereo", 2), piece(48000, "stereo", 2), piece(24000, "mono", 1)]
    floats = list(_as_float(iter(frames), 48000, av))
    assert {frame.sample_rate for frame in floats} == {48000}
    assert {frame.format.name for frame in floats} == {"fltp"}
    assert sum(frame.samples for frame in floats) == pytest.approx(4000, abs=40)
