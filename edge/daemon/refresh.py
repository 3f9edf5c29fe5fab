"""Keeps what is playing and the lists up to date while somebody watches, and tells everybody who does.

The pipelines only say that there is something new; however often they do, one refresh runs at a time.
"""

import asyncio
import logging
from typing import Any

from edge.daemon.desk import Desk
from edge.daemon.events import Broadcaster
from edge.daemon.requests import DEFAULT_K

log = logging.getLogger(__name__)


class Refresher:
    """Used from the event loop only, except ``wake_from_thread``."""

    def __init__(self, desk: Desk, broadcaster: Broadcaster, loop: asyncio.AbstractEventLoop):
        self._desk, self._broadcaster, self._loop = desk, broadcaster, loop
        self._wanted = asyncio.Event()
        self._last: dict[str | None, dict[str, Any]] = {}
        self.refreshed = 0

    def wake(self) -> None:
        self._wanted.set()

    def wake_from_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._wanted.set)

    async def run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._refresh()
            except Exception:  # the edge of a task that must outlive a failed refresh
                log.exception("the list could not be refreshed; trying again at the next sound or picture")

    async def _refresh(self) -> None:
        if not self._broadcaster.readers:
            return self._last.clear()
        users = self._broadcaster.users()
        self._last = {user: self._last[user] for user in {None, *users} & self._last.keys()}
        self._publish("now", await self._desk.now(), user=None)
        for user in users:
            self._publish("recommendations", await self._desk.recommend(user, DEFAULT_K), user=user)
        self.refreshed += 1

    def _publish(self, event: str, data: dict[str, Any], *, user: str | None) -> None:
        """Only what is new since the last time."""
        if self._last.get(user) != data:
            self._last[user] = data
            self._broadcaster.publish(event, data, user=user)
