import threading
import time

import numpy as np
import pytest

from edge.audio.source import AudioBlock
from edge.daemon import capture as capture_module
from edge.daemon.capture import Capture
from edge.daemon.health import SenseHealth, State, count_sound
from edge.errors import MediaError, RuntimeMissingError

SOUND = AudioBlock(np.full(1280, 1000, np.int16), 0.0)
ZEROS = AudioBlock(np.zeros(16000, np.int16), 0.0)


class Device:
    """A source that follows a script: blocks to deliver, errors to raise, None to end."""

    description = "microphone test"

    def __init__(self, script):
        self._script = iter(script)
        self.closed = False
        self.overflows = 0

    def read(self):
        step = next(self._script)
        if isinstance(step, Exception):
            raise step
        return step

    def close(self):
        self.closed = True


class Devices:
    """An opener that gives one device, or error, after the other."""

    def __init__(self, *scripts):
        self.opened = []
        self._scripts = iter(scripts)

    def __call__(self):
        script = next(self._scripts)
        if isinstance(script, Exception):
            raise script
        self.opened.append(Device(script))
        return self.opened[-1]


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(capture_module, "BEAT_S", 0.002)
    monkeypatch.setattr(capture_module, "FIRST_RETRY_S", 0.004)
    monkeypatch.setattr(capture_module, "LONGEST_RETRY_S", 0.008)


@pytest.fixture
def health():
    return SenseHealth("audio", nominal_hz=16000)


def capture_of(devices, health, *, endless=True):
    capture = Capture(devices, health, count=count_sound, endless=endless)
    capture.breaks = 0

    def broken():
        capture.breaks += 1

    capture.on_break = broken
    return capture


def wait_for(health, state):
    deadline_s = time.monotonic() + 10
    while health.state is not state:
        assert time.monotonic() < deadline_s, f"{health.state}, not {state}"
        time.sleep(0.001)


def beats_more(health, times):
    """Until the reading thread has come round so many times more."""
    told, beat = threading.Semaphore(0), health.beat
    health.beat = lambda: (beat(), told.release())
    for _ in range(times):
        assert told.acquire(timeout=10)
    health.beat = beat


def test_hands_blocks_through_and_counts_them(health):
    capture = capture_of(Devices([SOUND, SOUND]), health)
    capture.open()
    assert health.state is State.STARTING
    assert capture.read() is SOUND
    assert capture.read() is SOUND
    assert (health.state, health.frames, health.losses, capture.breaks) == (State.LIVE, 2560, 0, 0)
    assert capture.description == "microphone test"


def test_reopens_a_lost_device(health):
    devices = Devices([SOUND, MediaError("gone")], MediaError("not there yet"), [SOUND])
    capture = capture_of(devices, health)
    assert capture.read() is SOUND
    assert capture.read() is SOUND
    assert (health.state, health.losses, health.gaps) == (State.LIVE, 1, 1)
    assert capture.breaks > 0
    assert devices.opened[0].closed


def test_an_endless_source_that_ends_is_lost(health):
    capture = capture_of(Devices([None], [SOUND]), health)
    assert capture.read() is SOUND
    assert health.losses == 1


def test_a_file_ends_for_good(health):
    devices = Devices([SOUND, None])
    capture = capture_of(devices, health, endless=False)
    assert capture.read() is SOUND
    assert capture.read() is None
    assert health.state is State.ENDED
    assert devices.opened[0].closed


def test_a_file_that_is_damaged_ends_with_the_reason(health):
    capture = capture_of(Devices([SOUND, MediaError("x.ogg: damaged after 3.0 s")]), health, endless=False)
    capture.read()
    assert capture.read() is None
    assert (health.state, health.error) == (State.ENDED, "x.ogg: damaged after 3.0 s")


def test_a_device_of_zeros_is_lost_and_lives_again_with_sound(health):
    capture = capture_of(Devices([SOUND, ZEROS, ZEROS], [ZEROS, ZEROS], [SOUND]), health)
    blocks = [capture.read() for _ in range(4)]
    assert blocks == [SOUND, ZEROS, ZEROS, SOUND]
    assert (health.state, health.losses) == (State.LIVE, 1)


def test_silence_in_a_file_is_only_silence(health):
    capture = capture_of(Devices([ZEROS] * 5), health, endless=False)
    assert [capture.read() for _ in range(5)] == [ZEROS] * 5
    assert health.state is State.LIVE


def test_overflows_are_added_up_over_devices(health):
    devices = Devices([SOUND, SOUND, MediaError("gone")], [SOUND])
    capture = capture_of(devices, health)
    capture.read()
    devices.opened[0].overflows = 2
    capture.read()
    capture.read()
    assert (health.overflows, health.gaps) == (2, 2)


def test_mute_releases_the_device_until_unmuted(health):
    devices = Devices([SOUND, SOUND], [SOUND])
    capture = capture_of(devices, health)
    capture.read()
    capture.mute(True)
    reading = threading.Thread(target=capture.read)
    reading.start()
    wait_for(health, State.MUTED)
    assert devices.opened[0].closed
    assert len(devices.opened) == 1
    capture.mute(False)
    reading.join(5)
    assert (health.state, len(devices.opened), health.losses) == (State.LIVE, 2, 0)
    assert capture.breaks == 1


def test_what_was_being_read_when_muted_is_thrown_away(health):
    class MutedMeanwhile(Device):
        def read(self):
            capture.mute(True)
            capture.close()
            return SOUND

    capture = capture_of(lambda: MutedMeanwhile([]), health)
    assert capture.read() is None
    assert health.frames == 0


def test_shed_to_save_memory_releases_the_device_and_comes_back(health):
    devices = Devices([SOUND, SOUND], [SOUND])
    capture = capture_of(devices, health)
    capture.read()
    capture.shed(True)
    reading = threading.Thread(target=capture.read)
    reading.start()
    wait_for(health, State.SHED)
    assert devices.opened[0].closed
    capture.mute(True)
    wait_for(health, State.MUTED)
    capture.shed(False)
    beats_more(health, 3)
    assert len(devices.opened) == 1, "what is muted stays muted"
    capture.mute(False)
    reading.join(5)
    assert (health.state, len(devices.opened), health.losses) == (State.LIVE, 2, 0)


def test_thinned_out_all_are_counted_and_few_handed_on(health):
    blocks = [AudioBlock(np.full(10, number + 1, np.int16), 0.0) for number in range(12)]
    capture = capture_of(Devices([*blocks, None]), health, endless=False)
    capture.thin(4)
    handed = list(iter(capture.read, None))
    assert handed == [blocks[3], blocks[7], blocks[11]]
    assert health.frames == 120
    assert health.state is State.ENDED


def test_a_loss_is_told_before_a_device_that_hangs_is_closed(health):
    """As a sound server that is stopped: closing waits until it goes on."""
    goes_on = threading.Event()

    class Hangs(Device):
        def close(self):
            assert goes_on.wait(10)

    devices = iter([Hangs([SOUND, MediaError("delivers nothing")]), Device([SOUND])])
    capture = capture_of(lambda: next(devices), health)
    capture.read()
    reading = threading.Thread(target=capture.read)
    reading.start()
    wait_for(health, State.LOST)
    goes_on.set()
    reading.join(5)
    assert health.state is State.LIVE


def test_muted_from_the_start_never_opens(health):
    devices = Devices()
    capture = capture_of(devices, health)
    capture.mute(True)
    capture.open()
    assert devices.opened == []


def test_close_ends_a_reader_that_waits_for_a_lost_device(health):
    def never():
        raise MediaError("no microphone found")

    capture = capture_of(never, health)
    reading = threading.Thread(target=capture.read)
    reading.start()
    wait_for(health, State.LOST)
    capture.close()
    reading.join(5)
    assert not reading.is_alive()


def test_a_missing_microphone_is_waited_for_but_a_missing_file_is_not(health):
    capture_of(Devices(MediaError("no microphone found")), health).open()
    assert (health.state, health.error) == (State.LOST, "no microphone found")
    with pytest.raises(MediaError, match="no such file"):
        capture_of(Devices(MediaError("no such file")), health, endless=False).open()


def test_a_missing_library_is_said_at_once(health):
    with pytest.raises(RuntimeMissingError, match="PortAudio"):
        capture_of(Devices(RuntimeMissingError("PortAudio is not installed")), health).open()
