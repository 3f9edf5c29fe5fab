import signal
import time

import numpy as np
import pytest

from edge.audio import microphone as microphone_module
from edge.audio.devices import formats
from edge.audio.source import open_audio
from edge.errors import MediaError
from tests.edge.audio import pulse

needs_pulse = pytest.mark.skipif(
    pulse.missing() is not None, reason=f"no PulseAudio to make a microphone of: {pulse.missing()}"
)


@pytest.fixture
def room(tmp_path, monkeypatch):
    with pulse.VirtualMicrophone(tmp_path) as room:
        for name, value in room.environment.items():
            monkeypatch.setenv(name, value)
        yield room


def noise(seconds):
    return np.random.default_rng(3).integers(-30000, 30000, int(seconds * 16000)).astype(np.int16)


def listen(source, blocks):
    return np.concatenate([source.read().samples for _ in range(blocks)])


def position(played, heard):
    """Where in the endless repetition of ``played`` a piece was heard."""
    repeated = np.concatenate((played, played))
    matches = [at for at in np.flatnonzero(repeated[: len(played)] == heard[0])
               if np.array_equal(repeated[at : at + 40], heard[:40])]
    assert len(matches) == 1
    return matches[0]


def expect_continuation(played, heard):
    at = position(played, heard)
    np.testing.assert_array_equal(heard, played.take(range(at, at + len(heard)), mode="wrap"))


@needs_pulse
def test_samples_arrive_unchanged_and_without_gaps(room):
    played = noise(2)
    room.play(played)
    with open_audio("mic", block_ms=80) as source:
        listen(source, 5)
        blocks = [source.read() for _ in range(20)]
        assert [block.samples.shape for block in blocks] == [(1280,)] * 20
        assert [block.start_s for block in blocks] == pytest.approx([0.08 * n for n in range(5, 25)])
        expect_continuation(played, np.concatenate([block.samples for block in blocks]))
        assert source.capture_rate_hz == 16000
        assert source.frames_received >= 25 * 1280
        assert source.overflows == 0
        assert time.monotonic() - source.last_block_monotonic_s < 1
        assert source.description.startswith("microphone ")


@needs_pulse
def test_the_device_rate_and_channels_where_the_wanted_are_refused(room, monkeypatch):
    monkeypatch.setattr(microphone_module, "formats", lambda *_: [(1_000_000_000, 1), (48000, 2)])
    played = np.round(12000 * np.sin(2 * np.pi * 500 * np.arange(16000) / 16000)).astype(np.int16)
    room.play(played)
    with open_audio("mic:pulse") as source:
        assert source.capture_rate_hz == 48000
        listen(source, 10)
        heard = listen(source, 10).astype(np.float64)
    basis = np.exp(2j * np.pi * 500 * np.arange(heard.size) / 16000)
    tone = 2 * np.abs(heard @ basis) / heard.size
    assert tone == pytest.approx(12000, rel=0.01)
    assert np.sqrt(np.mean(heard**2)) == pytest.approx(12000 / np.sqrt(2), rel=0.01), "nothing but the tone"


@needs_pulse
def test_an_unknown_name_lists_the_microphones(room):
    with pytest.raises(MediaError, match=r"no microphone named 'webcam'; there are: .*pulse"):
        open_audio("mic:webcam")


@needs_pulse
def test_a_killed_server_is_an_error_and_opening_again_works_once_it_is_back(room):
    room.play(noise(1))
    with open_audio("mic") as source:
        listen(source, 3)
        room.kill_server()
        with pytest.raises(MediaError, match="was lost"):
            listen(source, 100)
    with pytest.raises(MediaError, match="microphone"):
        open_audio("mic")
    room.start_server()
    with open_audio("mic") as source:
        assert listen(source, 3).any()


@needs_pulse
def test_a_stalled_microphone_does_not_hold_its_reader(room, monkeypatch):
    room.play(noise(1))
    with open_audio("mic") as source:
        listen(source, 3)
        room.signal_server(signal.SIGSTOP)
        try:
            began_s = time.monotonic()
            with monkeypatch.context() as patched:
                patched.setattr(microphone_module, "DEAF_S", 0.7)
                with pytest.raises(MediaError, match=r"delivered nothing for 0\.7 s"):
                    listen(source, 100)
            assert time.monotonic() - began_s < 5
        finally:
            room.signal_server(signal.SIGCONT)
        assert listen(source, 3).any(), "it goes on when the sound does"
        assert source.gaps >= 1


@needs_pulse
def test_a_reader_that_is_late_loses_the_end_and_it_is_counted(room, monkeypatch):
    monkeypatch.setattr(microphone_module, "RING_S", 0.4)
    played = noise(2)
    room.play(played)
    with open_audio("mic") as source:
        listen(source, 2)
        overflows_s = time.monotonic() + 5
        while source.overflows == 0 and time.monotonic() < overflows_s:
            time.sleep(0.05)
        assert source.overflows > 0
        expect_continuation(played, listen(source, 4))


@needs_pulse
def test_closed_is_the_end(room):
    with open_audio("mic") as source:
        source.read()
    assert source.read() is None
    source.close()


def test_without_any_microphone_it_says_so(monkeypatch, tmp_path):
    pytest.importorskip("sounddevice", reason="PortAudio is not installed", exc_type=OSError)
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nobody")
    with pytest.raises(MediaError, match="microphone"):
        open_audio("mic:surely no such device")


def test_formats_start_with_the_wanted_and_end_with_all_channels():
    device = {"default_samplerate": 44100.0, "max_input_channels": 6}
    assert formats(device, 16000) == [(16000, 1), (44100, 1), (16000, 6), (44100, 6)]
    assert formats({"default_samplerate": 16000.0, "max_input_channels": 1}, 16000) == [(16000, 1)]
    assert formats({"default_samplerate": 48000.0, "max_input_channels": 32}, 48000) == [(48000, 1), (48000, 16)]
