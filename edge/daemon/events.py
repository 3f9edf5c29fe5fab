"""Live events for any number of readers, none of whom can hold up the daemon.

The event loop publishes; each reader has a queue of fixed length. A reader that is too slow loses its oldest
events and is told how many. Names and payloads stand in openapi.json.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, TextIO

QUEUE_EVENTS = 64
KEEP_ALIVE_S = 15.0
KEEP_ALIVE = b": nothing new\n\n"


class Subscription:
    """One reader's queue. Used from the event loop only."""

    def __init__(self, user: str):
        self.user = user
        """Whose recommendations the reader wants."""
        self.dropped = 0
        """Events lost since the reader was last told."""
        self._queue: deque[bytes] = deque(maxlen=QUEUE_EVENTS)
        self._arrived = asyncio.Event()
        self._open = True

    def put(self, message: bytes) -> None:
        self.dropped += len(self._queue) == QUEUE_EVENTS
        self._queue.append(message)
        self._arrived.set()

    def close(self) -> None:
        self._open = False
        self._arrived.set()

    async def messages(self) -> AsyncIterator[bytes]:
        """What to send next, in order; a comment when nothing happened for KEEP_ALIVE_S. Ends on close()."""
        while self._open:
            if self.dropped:
                lost, self.dropped = self.dropped, 0
                yield encode("dropped", {"events": lost})
            elif self._queue:
                yield self._queue.popleft()
            elif not await self._something_arrives():
                yield KEEP_ALIVE

    async def _something_arrives(self) -> bool:
        self._arrived.clear()
        try:
            async with asyncio.timeout(KEEP_ALIVE_S):
                await self._arrived.wait()
        except TimeoutError:
            return False
        return True


class Broadcaster:
    """Publishes to all subscriptions. Used from the event loop only."""

    def __init__(self, *, max_readers: int):
        self._max_readers = max_readers
        self._readers: set[Subscription] = set()
        self.dropped_total = 0

    @property
    def readers(self) -> int:
        return len(self._readers)

    def limit(self, readers: int) -> None:
        """Let at most so many read; those above end at once."""
        self._max_readers = readers
        for reader in tuple(self._readers)[readers:]:
            self.unsubscribe(reader)

    @property
    def full(self) -> bool:
        return len(self._readers) >= self._max_readers

    def users(self) -> set[str]:
        """Whose recommendations anybody waits for."""
        return {reader.user for reader in self._readers}

    def subscribe(self, user: str) -> Subscription:
        reader = Subscription(user)
        self._readers.add(reader)
        return reader

    def unsubscribe(self, reader: Subscription) -> None:
        reader.close()
        self._readers.discard(reader)

    def publish(self, event: str, data: dict[str, Any], *, user: str | None = None) -> None:
        """To every reader, or to those who follow ``user``."""
        message = encode(event, data)
        for reader in self._readers:
            if user is None or reader.user == user:
                before = reader.dropped
                reader.put(message)
                self.dropped_total += reader.dropped - before

    def close(self) -> None:
        """End every stream, so that the server can stop."""
        for reader in tuple(self._readers):
            self.unsubscribe(reader)


async def print_lines(reader: Subscription, file: TextIO) -> None:
    """Write each event as one line of JSON, ``{"event": NAME, "data": {...}}``, without holding up the loop."""
    async for message in reader.messages():
        name, _, rest = message.decode().partition("\n")
        if name.startswith("event: "):
            line = f'{{"event": "{name[7:]}", "data": {rest[6:-2]}}}'
            await asyncio.to_thread(print, line, file=file, flush=True)


def encode(event: str, data: dict[str, Any]) -> bytes:
    """One server-sent event (WHATWG HTML, section 9.2)."""
    return f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False, allow_nan=False)}\n\n".encode()
