import numpy as np
import pytest

from edge.audio.source import AudioBlock
from edge.daemon.health import FLOOR_DBFS, SenseHealth, State, count_sound, level_dbfs


class Clock:
    now_s = 100.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def health(clock):
    return SenseHealth("audio", nominal_hz=16000, clock=clock)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([0, 0, 0], FLOOR_DBFS),
        ([-32768, -32768], 0.0),  # full-scale square wave
        ([16384, -16384], -6.0),  # half of it: 20 log10(1/2) = -6.02
        ([33, -33], -59.9),
    ],
)
def test_level_of_known_blocks(samples, expected):
    assert level_dbfs(np.array(samples, np.int16)) == pytest.approx(expected, abs=0.05)


def test_a_sine_is_three_decibels_below_its_peak():
    sine = np.round(32767 * np.sin(np.arange(1600) * 2 * np.pi / 160)).astype(np.int16)
    assert level_dbfs(sine) == pytest.approx(-3.0, abs=0.05)


def test_off_is_neither_deaf_nor_live(health):
    assert (health.state, health.deaf) == (State.OFF, False)


def test_starting_becomes_deaf_when_nothing_ever_comes(health, clock):
    health.enter(State.STARTING)
    assert not health.deaf
    clock.now_s += 3
    assert health.deaf


def test_live_without_frames_is_stalled(health, clock):
    health.enter(State.LIVE)
    health.received(1280)
    assert (health.state, health.deaf) == (State.LIVE, False)
    clock.now_s += 2.1
    assert (health.state, health.deaf) == (State.STALLED, True)
    health.received(1280)
    assert health.state is State.LIVE


def test_a_source_that_tells_of_frames_that_nobody_wants_is_alive_with_them_and_stalled_without(health, clock):
    arrived_s = clock.now_s
    health.arrived_at = lambda: arrived_s
    health.enter(State.LIVE)
    health.received(1)
    for _ in range(4):
        clock.now_s += 1.4
        assert health.state is State.LIVE
        arrived_s = clock.now_s
    clock.now_s += 1.6
    assert (health.state, health.deaf) == (State.STALLED, True)


@pytest.mark.parametrize("state", [State.MUTED, State.ENDED])
def test_quiet_on_purpose_is_not_deaf(health, clock, state):
    health.enter(state)
    clock.now_s += 1000
    assert not health.deaf


def test_measures_the_rate_of_arrival(health, clock):
    health.enter(State.LIVE)
    for _ in range(30):
        clock.now_s += 0.08
        health.received(1200)  # a device that delivers 15,000 samples a second
    assert health.report()["received_hz"] == pytest.approx(15000)


def test_the_rate_leaves_out_the_time_without_a_device(health, clock):
    health.enter(State.LOST)
    clock.now_s += 100
    for _ in range(30):
        clock.now_s += 0.1
        health.received(1600)
        health.enter(State.LIVE)
    assert health.report()["received_hz"] == pytest.approx(16000)


def test_a_loss_is_counted_and_explained(health):
    health.enter(State.LIVE)
    health.received(1280, level_dbfs=-20.0)
    assert health.enter(State.LOST, "the microphone is gone")
    assert not health.enter(State.LOST, "still gone")
    report = health.report()
    assert (report["losses"], report["error"], report["level_dbfs"]) == (1, "still gone", None)
    assert report["frames"] == 1280


def test_counts_how_long_the_sound_has_been_zeros(health):
    silence = AudioBlock(np.zeros(1600, np.int16), 0.0)
    count_sound(health, silence)
    count_sound(health, silence)
    assert health.zeros_s == pytest.approx(0.2)
    count_sound(health, AudioBlock(np.array([0, 1], np.int16), 0.0))
    assert health.zeros_s == 0
