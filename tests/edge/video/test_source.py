import sys

import av
import numpy as np
import pytest

from edge.errors import MediaError, RuntimeMissingError, UsageError
from edge.video.source import open_video
from tests.edge.video import films


def watch(spec, frames_per_s, **options):
    with open_video(str(spec), frames_per_s=frames_per_s, **options) as source:
        return list(iter(source.read, None))


def seen(frames):
    return [(round(frame.time_s, 3), films.number_of(frame.image)) for frame in frames]


def test_pictures_are_rgb_and_at_their_times(film):
    frames = watch(film, 25)
    assert seen(frames) == [(round(0.04 * number, 3), number) for number in range(100)]
    assert frames[0].image.shape == (films.HEIGHT, films.WIDTH, 3)
    assert frames[0].image.dtype == np.uint8


def test_the_first_picture_of_each_interval(film):
    assert seen(watch(film, 2)) == [
        (0.0, 0), (0.52, 13), (1.0, 25), (1.52, 38), (2.0, 50), (2.52, 63), (3.0, 75), (3.52, 88),
    ]
    assert seen(watch(f"file:{film}", 0.5)) == [(0.0, 0), (2.0, 50)]


@pytest.mark.parametrize(("name", "codec"), [
    ("film.mkv", "libx264"), ("film.ts", "libx264"), ("film.webm", "libvpx-vp9"), ("film.avi", "mjpeg"),
    ("film.mkv", "mpeg4"),
])
def test_other_containers_and_codecs(tmp_path, name, codec):
    path = films.write(tmp_path / name, films.at_25_a_second(30), codec=codec)
    assert seen(watch(path, 5)) == [(0.0, 0), (0.2, 5), (0.4, 10), (0.6, 15), (0.8, 20), (1.0, 25)]


def test_a_film_of_varying_rate_goes_by_its_time_stamps(tmp_path):
    times_ms = [0, 100, 130, 700, 1400, 1410, 1420, 3000]
    path = films.write(tmp_path / "varying.mkv", times_ms)
    assert seen(watch(path, 1000)) == [(time_ms / 1000, number) for number, time_ms in enumerate(times_ms)]
    assert seen(watch(path, 1)) == [(0.0, 0), (1.4, 4), (3.0, 7)]


def test_a_film_that_starts_late_starts_at_0(tmp_path):
    path = films.write(tmp_path / "late.mkv", range(5000, 6000, 40))
    assert seen(watch(path, 2)) == [(0.0, 0), (0.52, 13)]


def test_paced_pictures_wait_for_their_time(film, no_waiting):
    assert len(watch(film, 2, paced=True)) == 8
    assert no_waiting[0] == 0
    assert 3 < no_waiting[-1] <= 3.52


def test_a_picture_file_is_a_film_of_one_picture(tmp_path):
    films.write(tmp_path / "picture.jpg", [0], codec="mjpeg", options={"update": "1"})
    assert seen(watch(tmp_path / "picture.jpg", 5)) == [(0.0, 0)]


def test_a_truncated_film_is_seen_as_far_as_it_goes(tmp_path):
    content = films.write(tmp_path / "film.mkv", films.at_25_a_second(100)).read_bytes()
    (tmp_path / "half.mkv").write_bytes(content[: len(content) // 2])
    frames = watch(tmp_path / "half.mkv", 25)
    assert 5 < len(frames) < 100


def test_after_close_there_is_nothing(film):
    with open_video(str(film), frames_per_s=1) as source:
        assert source.description == "film film.mp4"
    assert source.read() is None


def without_its_index(folder):
    content = films.write(folder / "whole.mp4", films.at_25_a_second(50)).read_bytes()
    (folder / "broken.mp4").write_bytes(content[: len(content) // 2])
    return folder / "broken.mp4"


def sound_only(folder, *, cover):
    path = folder / "song.m4a"
    with av.open(str(path), "w", format="mp4") as file:
        audio = file.add_stream("aac", rate=44100)
        audio.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.int16), format="s16", layout="mono")
        frame.sample_rate = 44100
        if cover:
            picture = file.add_stream("mjpeg", rate=1)
            picture.width, picture.height, picture.pix_fmt = 64, 64, "yuvj420p"
            picture.disposition = av.stream.Disposition.attached_pic
            image = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 99, np.uint8), format="rgb24")
            file.mux([*picture.encode(image), *picture.encode(None)])
        file.mux([*audio.encode(frame), *audio.encode(None)])
    return path


def av1(folder):
    return films.write(folder / "av1.mp4", films.at_25_a_second(10), codec="libsvtav1")


def bytes_of(name, content):
    def write(folder):
        (folder / name).write_bytes(content)
        return folder / name

    return write


BAD_FILMS = {
    "missing": (lambda folder: folder / "missing.mp4", "there is no such file"),
    "folder": (lambda folder: folder, "is a folder"),
    "empty": (bytes_of("empty.mp4", b""), "is empty"),
    "text": (bytes_of("text.mp4", b"not a film\n" * 99), "not a film"),
    "noise": (bytes_of("noise.avi", bytes(range(256)) * 99), "not a film"),
    "no index": (without_its_index, "not a film, a damaged one"),
    "sound only": (lambda folder: sound_only(folder, cover=False), "one without pictures"),
    "cover only": (lambda folder: sound_only(folder, cover=True), "a cover image but no film"),
    "AV1": (av1, "no picture in it can be decoded, as in AV1"),
}


@pytest.mark.parametrize("kind", BAD_FILMS)
def test_a_bad_film_is_one_sentence_that_names_it(tmp_path, kind):
    make, said = BAD_FILMS[kind]
    path = make(tmp_path)
    with pytest.raises(MediaError) as raised:
        open_video(str(path), frames_per_s=1)
    assert str(path) in str(raised.value)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("spec", "frames_per_s", "said"), [
    ("file:", 1, "give v4l2:/dev/video0"),
    ("v4l2:", 1, "name the device by its path"),
    ("v4l2:camera", 1, "name the device by its path"),
    ("film.mp4", 0, "above 0"),
    ("film.mp4", float("nan"), "above 0"),
    ("film.mp4", 1e9, "at most 1000"),
])
def test_impossible_requests_are_usage_errors(spec, frames_per_s, said):
    with pytest.raises(UsageError, match=said):
        open_video(spec, frames_per_s=frames_per_s)


def test_a_missing_camera_is_named_with_those_that_there_are():
    with pytest.raises(MediaError, match=r"camera /dev/video-none cannot be opened; .*devices there are: "):
        open_video("v4l2:/dev/video-none", frames_per_s=1)


def test_without_opencv_the_extra_is_named(film, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(RuntimeMissingError, match=r"OpenCV is not installed.*roomtone\[tv\]"):
        open_video(str(film), frames_per_s=1)
