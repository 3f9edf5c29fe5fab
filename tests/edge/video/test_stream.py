import itertools
import socket
import threading
import time

import numpy as np
import pytest

from edge.errors import MediaError
from edge.video import opencv as opencv_module
from edge.video import stream as stream_module
from edge.video.capture import LiveCapture
from edge.video.opencv import capture_film
from edge.video.source import open_video
from edge.video.stream import without_secrets
from tests.edge.video import films
from tests.edge.video import rtsp as rtsp_module


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(opencv_module, "TIMEOUT_S", 1)
    monkeypatch.setattr(stream_module, "TIMEOUT_S", 1)


def numbers(source):
    return [films.number_of(frame.image) for frame in iter(source.read, None)]


def test_a_film_behind_a_url_has_an_end(film, serve):
    with open_video(f"{serve(film.parent)}/film.mp4", frames_per_s=2) as source:
        assert source.description.startswith("film film.mp4")
        assert numbers(source) == [0, 13, 25, 38, 50, 63, 75, 88]


def test_an_mp4_that_is_not_written_for_the_web_says_so(tmp_path, serve):
    path = films.write(tmp_path / "slow.mp4", films.at_25_a_second(2000), codec="mjpeg")
    assert path.stat().st_size > 1 << 20, "FFmpeg skips what is shorter by reading it"
    with pytest.raises(MediaError, match=r"slow\.mp4: .*faststart"):
        open_video(f"{serve(tmp_path)}/slow.mp4", frames_per_s=2)


def test_nobody_there(impatient):
    with pytest.raises(MediaError, match=r"^http://127\.0\.0\.1:9/x: no film or stream there"):
        open_video("http://me:secret@127.0.0.1:9/x?token=secret", frames_per_s=2)


def test_a_server_that_falls_silent_does_not_hold_its_reader(film, serve, impatient):
    size = film.stat().st_size
    url = f"{serve(film.parent, stalls_after=size * 2 // 3)}/film.mp4"
    with open_video(url, frames_per_s=25) as source, pytest.raises(MediaError, match=r"broke off after \d+ pictures"):
        numbers(source)


def test_a_connection_that_ends_early_is_an_error(film, serve, impatient):
    size = film.stat().st_size
    url = f"{serve(film.parent, dies_after=size // 2)}/film.mp4"
    with open_video(url, frames_per_s=25) as source, pytest.raises(MediaError, match=r"broke off after \d+ pictures"):
        numbers(source)


def test_secrets_stay_out_of_messages():
    assert without_secrets("rtsp://me:pw@cam.local:554/live/1?token=x") == "rtsp://cam.local:554/live/1"
    assert without_secrets("udp://@239.0.0.1:1234") == "udp://239.0.0.1:1234"


def test_a_live_source_gives_the_newest_at_most_so_often(film, monkeypatch):
    """A real decoder, with a clock that says that a picture takes 30 ms."""
    clock = iter(np.arange(0, 100, 0.03))
    monkeypatch.setattr("edge.video.capture.time.monotonic", lambda: next(clock))
    source = LiveCapture(capture_film(str(film)), "stream x", frames_per_s=5)
    frames = [source.read() for _ in range(12)]
    times_s = [frame.time_s for frame in frames]
    assert times_s == pytest.approx([0.03, 0.21, 0.42, 0.6, 0.81, 1.02, 1.2, 1.41, 1.62, 1.8, 2.01, 2.22])
    assert [films.number_of(frame.image) for frame in frames] == [round(time_s / 0.03) - 1 for time_s in times_s]
    with pytest.raises(MediaError, match="stream x delivers no pictures"):
        numbers(source)


class Slow:
    """A film whose pictures come after so many seconds each."""

    def __init__(self, film, waits_s):
        self._capture, self._waits_s = capture_film(str(film)), iter(waits_s)

    def grab(self):
        time.sleep(next(self._waits_s))
        return self._capture.grab()

    def __getattr__(self, name):
        return getattr(self._capture, name)


def test_the_first_picture_may_be_late_and_a_later_one_is_a_loss(film, monkeypatch):
    monkeypatch.setattr(opencv_module, "SILENT_S", 0.2)
    source = LiveCapture(Slow(film, [0.3, 0.05, 0.3]), "stream x", frames_per_s=1_000)
    source.read()
    source.read()
    with pytest.raises(MediaError, match="delivers no pictures any more"):
        source.read()


def test_a_live_stream_that_stops():
    """Over UDP, in real time: no picture is stale, and the end of the sending is noticed."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    stopping = threading.Event()
    sender = threading.Thread(target=films.broadcast, args=(f"udp://127.0.0.1:{port}?pkt_size=1316", stopping))
    sender.start()
    try:
        with open_video(f"udp://127.0.0.1:{port}", frames_per_s=5) as source:
            frames = [source.read() for _ in range(6)]
            seen = [films.number_of(frame.image) for frame in frames]
            assert all(0 < (later - earlier) % 100 < 50 for earlier, later in itertools.pairwise(seen))
            assert frames[-1].time_s >= 0.9
            stopping.set()
            with pytest.raises(MediaError, match="delivers no pictures any more"):
                numbers(source)
    finally:
        stopping.set()
        sender.join()


def test_a_live_source_without_pictures_is_refused_at_once(tmp_path):
    path = films.write(tmp_path / "av1.mp4", films.at_25_a_second(10), codec="libsvtav1")
    with pytest.raises(MediaError, match="stream x brings no picture that can be decoded"):
        LiveCapture(capture_film(str(path)), "stream x", frames_per_s=5)


@pytest.fixture
def rtsp(tmp_path):
    if missing := rtsp_module.missing():
        pytest.skip(missing)
    film = films.write(tmp_path / "film.mkv", films.at_25_a_second(75))
    with rtsp_module.RtspServer(film) as server:
        yield server


def test_rtsp_shows_what_is_sent_and_its_end_is_a_loss(rtsp):
    with open_video(rtsp.url, frames_per_s=5) as source:
        seen = []
        with pytest.raises(MediaError, match=r"stream rtsp://.*/film delivers no pictures any more"):
            seen.extend(films.number_of(frame.image) for frame in iter(source.read, None))
    assert seen == sorted(seen)
    assert seen[-1] > 60


def test_an_rtsp_server_that_is_killed_or_falls_silent_is_let_go(rtsp, monkeypatch):
    monkeypatch.setattr(opencv_module, "SILENT_S", 0.5)
    for lose in (rtsp.kill, rtsp.stall):
        with open_video(rtsp.url, frames_per_s=5) as source:
            source.read()
            lose()
            arrived_s = source.arrived_at()
            with pytest.raises(MediaError, match="delivers no pictures any more"):
                numbers(source)
            assert arrived_s <= source.arrived_at() < time.monotonic()
            assert time.monotonic() - source.arrived_at() < 3 * 0.5, "no picture counted that was no new one"
        rtsp.kill()
        rtsp.start()
