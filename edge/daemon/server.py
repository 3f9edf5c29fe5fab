"""uvicorn, bare: HTTP/1.1 in pure Python, no access log, no server header, no patience with idle clients."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CONNECTIONS = 128
MAX_HEADER_BYTES = 16 << 10
FIRST_REQUEST_S = 10
KEEP_ALIVE_S = 15
GRACE_S = 1
"""How long answers under way may take once the daemon is to stop."""


class Connection(H11Protocol):
    """Closes a connection whose first request has not arrived after FIRST_REQUEST_S."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.loop.call_later(FIRST_REQUEST_S, self._close_unless_used)

    def _close_unless_used(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
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
