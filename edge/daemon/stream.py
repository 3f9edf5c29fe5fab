"""The answer to GET /v1/events: events until the reader leaves, stops reading or the daemon stops."""

import asyncio
import logging

from starlette.types import Receive, Scope, Send

from edge.daemon.events import Broadcaster, Subscription

LONGEST_SEND_S = 30.0
"""A reader whose connection takes no more bytes for this long is cut off."""
log = logging.getLogger(__name__)

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class EventStream:
    """An ASGI response. ``first`` is sent before anything that is published later."""

    def __init__(self, broadcaster: Broadcaster, reader: Subscription, first: list[bytes]):
        self._broadcaster, self._reader, self._first = broadcaster, reader, first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        leaving = asyncio.create_task(self._leave_with(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
            for message in self._first:
                await _send(send, message)
            async for message in self._reader.messages():
                await _send(send, message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except (TimeoutError, OSError):
            log.info("a reader of events is gone or does not read")
        finally:
            leaving.cancel()
            self._broadcaster.unsubscribe(self._reader)

    async def _leave_with(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._broadcaster.unsubscribe(self._reader)


async def _send(send: Send, message: bytes) -> None:
    async with asyncio.timeout(LONGEST_SEND_S):
        await send({"type": "http.response.body", "body": message, "more_body": True})
