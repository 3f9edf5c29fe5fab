import asyncio
import os
import socket

import pytest

from edge.daemon.health import SenseHealth, State
from edge.daemon.notify import Notifier, keep_alive


@pytest.fixture
def manager(tmp_path):
    """What systemd listens on: a datagram socket, here at a path short enough for AF_UNIX."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        yield listening


def received(manager):
    messages = []
    while True:
        try:
            messages.append(manager.recv(4096).decode())
        except BlockingIOError:
            return messages


def test_says_ready_alive_and_stopping(manager):
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname()})
    notifier.ready("listening on http://127.0.0.1:8765/")
    notifier.alive()
    notifier.stopping()
    assert received(manager) == [
        "READY=1\nSTATUS=listening on http://127.0.0.1:8765/", "WATCHDOG=1", "STOPPING=1"
    ]


def test_speaks_to_an_abstract_socket():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0roomtone-test-{os.getpid()}")
        Notifier({"NOTIFY_SOCKET": f"@roomtone-test-{os.getpid()}"}).alive()
        assert listening.recv(100) == b"WATCHDOG=1"


@pytest.mark.parametrize("address", ["", "relative", "/nowhere/at/all"])
def test_without_a_manager_nothing_happens(address):
    Notifier({"NOTIFY_SOCKET": address}).ready("")


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_reads_the_watchdog_interval(environment, seconds):
    assert Notifier(environment).watchdog_s == seconds


@pytest.mark.parametrize(("silent_s", "said"), [(0.0, True), (60.0, False)])
def test_a_stuck_pipeline_stops_the_sign_of_life(manager, silent_s, said):
    now_s = 0.0
    stuck = SenseHealth("audio", nominal_hz=16000, clock=lambda: now_s)
    stuck.enter(State.LIVE)
    now_s = silent_s
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "20000000"})

    async def a_moment():
        alive = asyncio.create_task(keep_alive(notifier, [stuck]))
        await asyncio.sleep(0)
        alive.cancel()

    asyncio.run(a_moment())
    assert received(manager) == ["WATCHDOG=1"] * said


def test_a_sense_that_is_off_or_ended_needs_no_heartbeat():
    now_s = 0.0
    sense = SenseHealth("video", nominal_hz=1, clock=lambda: now_s)
    now_s = 1000.0
    assert sense.beats(within_s=5)
    sense.enter(State.LIVE)
    assert not sense.beats(within_s=5)
    sense.enter(State.ENDED)
    assert sense.beats(within_s=5)
