"""Tell systemd that the daemon is ready, alive or stopping: the sd_notify(3) datagram protocol.

Outside systemd (no NOTIFY_SOCKET in the environment) every call does nothing.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Iterable, Mapping

from edge.daemon.health import SenseHealth


class Notifier:
    """Sends states to the service manager and knows how often it wants a sign of life."""

    def __init__(self, environment: Mapping[str, str] = os.environ):
        self._address = environment.get("NOTIFY_SOCKET", "")
        self.watchdog_s = _watchdog_s(environment)
        """Silence after which the service manager restarts the daemon; None when it does not watch."""

    def ready(self, status: str) -> None:
        self._send(f"READY=1\nSTATUS={status}")

    def alive(self) -> None:
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        self._send(f"STATUS={text}")

    def reloading(self) -> None:
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def _send(self, state: str) -> None:
        if self._address[:1] not in ("/", "@"):
            return
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        with sender, contextlib.suppress(OSError):  # a lost sign of life must not end the service
            sender.sendto(state.encode(), address)


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    interval = environment.get("WATCHDOG_USEC", "")
    meant_for = environment.get("WATCHDOG_PID", str(os.getpid()))
    if not interval.isdigit() or int(interval) == 0 or meant_for != str(os.getpid()):
        return None
    return int(interval) / 1e6


async def keep_alive(notifier: Notifier, senses: Iterable[SenseHealth]) -> None:
    """Send the sign of life while every pipeline's heart beats; one that is stuck is not hidden."""
    if notifier.watchdog_s is None:
        return
    while True:
        if all(sense.beats(within_s=notifier.watchdog_s / 2) for sense in senses):
            notifier.alive()
        await asyncio.sleep(notifier.watchdog_s / 4)
