"""uvicorn, bare: HTTP/1.1 in pure Python, no access log, no server header, no patience with idle clients."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CONNECTIONS = 128
MAX_HEADER_BYTES = 16 << 10
REQUEST_S = 10
KEEP_ALIVE_S = 15
GRACE_S = 1
"""How long answers under way may take once the daemon is to stop."""


class Connection(H11Protocol):
    """Closes a connection whose first request, or any that was begun, is not whole after REQUEST_S."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._patience: asyncio.TimerHandle | None = self.loop.call_later(REQUEST_S, self._close)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()  # at what the client sent behind the request that was answered

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_waiting()

    def _look(self) -> None:
        if not self._begun():
            self._stop_waiting()
        elif self._patience is None:
            self._patience = self.loop.call_later(REQUEST_S, self._close)

    def _begun(self) -> bool:
        """Whether a part of a request is here and the rest of its head or body is not."""
        head = self.conn.their_state is h11.IDLE and bool(self.conn.trailing_data[0])
        return head or self.conn.their_state is h11.SEND_BODY

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


class Server(uvicorn.Server):
    """Signals are the service's business, not the server's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def build(app: ASGIApp) -> Server:
    return Server(
        uvicorn.Config(
            app,
            loop="asyncio",
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MAX_CONNECTIONS,
            h11_max_incomplete_event_size=MAX_HEADER_BYTES,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACE_S,
        )
    )


async def run(server: Server, listening: socket.socket) -> None:
    await server.serve(sockets=[listening])
