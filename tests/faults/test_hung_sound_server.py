"""A sound server that hangs holds the thread that closes its stream: the loss is told, then the signs of life stop."""

import signal
import socket
import time

import numpy as np
import pytest

from tests.edge.audio import pulse

WATCHDOG_S = 2.0
HUNG_S = 12.0
"""Longer than the loss takes to be noticed, and the health's patience, and the watchdog's time after that."""


@pytest.fixture
def manager(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        yield listening


def signs_of_life(manager, *, for_s):
    """When each came, in seconds from now."""
    began_s, came_s = time.monotonic(), []
    while (left_s := began_s + for_s - time.monotonic()) > 0:
        manager.settimeout(left_s)
        try:
            if b"WATCHDOG=1" in manager.recv(1000):
                came_s.append(time.monotonic() - began_s)
        except TimeoutError:
            break
    return came_s


@pytest.mark.skipif(pulse.missing() is not None, reason=f"no PulseAudio to make a microphone of: {pulse.missing()}")
def test_the_watchdog_starts_again_what_waits_for_a_hung_sound_server(process, tmp_path, manager, wait_until):
    with pulse.VirtualMicrophone(tmp_path) as room:
        room.play(np.random.default_rng(3).integers(-9000, 9000, 80_000).astype(np.int16))
        environment = {**room.environment, "NOTIFY_SOCKET": str(tmp_path / "notify"),
                       "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6))}
        arguments = ("--profile", "rpi-zero-2w-speaker", "--audio", "mic", "--state", tmp_path / "state",
                     "--listen", "127.0.0.1:0")
        with process.running(tmp_path, *arguments, environment=environment) as daemon, daemon.client() as client:
            wait_until(lambda: client.get("/healthz").json()["senses"]["audio"] == "live")
            assert len(signs_of_life(manager, for_s=2.0)) >= 2
            room.signal_server(signal.SIGSTOP)
            try:
                came_s = signs_of_life(manager, for_s=HUNG_S)
                assert not came_s or came_s[-1] < HUNG_S - WATCHDOG_S, "systemd would not have noticed"
                assert client.get("/healthz").json()["senses"]["audio"] == "lost", "the API answers and says so"
            finally:
                room.signal_server(signal.SIGCONT)
            wait_until(lambda: client.get("/healthz").json()["senses"]["audio"] == "live")
            assert signs_of_life(manager, for_s=2.0)
