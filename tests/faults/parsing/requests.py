"""Requests as bytes on a connection: the HTTP parser, the gate, the routes, bodies and query strings, the answers."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import h11
from uvicorn.server import ServerState

from edge import firmware
from edge.daemon import api, guard, server
from edge.daemon.house import open_house
from edge.daemon.listen import Address
from edge.daemon.options import DaemonOptions
from tests.edge.daemon.tiny import IDS
from tests.faults.parsing.parser import Opened, Parser

LONGEST_ANSWER_S = 2.0
STREAM_S = 0.02
JSON = "Content-Type: application/json\r\n"


def _request(method: str, path: str, body: str = "", headers: str = "") -> bytes:
    length = f"Content-Length: {len(body.encode())}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}{length}\r\n{body}".encode()


REQUESTS = (
    _request("GET", "/v1/recommendations?user=anna&k=5"), _request("GET", "/v1/now"), _request("GET", "/v1/status"),
    _request("GET", f"/v1/items/{IDS[0].replace('/', '%2F')}"), _request("GET", "/v1/search?q=bells%20ensemble&k=3"),
    _request("GET", "/healthz"), _request("GET", "/metrics"), _request("GET", "/"), _request("GET", "/page/app.js"),
    _request("GET", "/v1/events?user=anna"), _request("DELETE", "/v1/users/anna"),
    _request("POST", "/v1/mute", '{"muted": true}', JSON),
    *[_request("POST", "/v1/feedback", f'{{"id": "{number}", "user": "anna", "item": "{IDS[number % 3]}", "event": '
               f'"{event}", "value": 1.5, "time_s": 1700000000.0}}', JSON)
      for number, event in enumerate(("like", "dwell", "skip", "play"))],
)


class Wire(asyncio.Transport):
    """The other end of a connection that exists in memory only."""

    def __init__(self) -> None:
        super().__init__()
        self.sent, self.closed = bytearray(), False

    def write(self, data: bytes) -> None:
        self.sent += data

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, name: str, default: object = None) -> object:
        return {"peername": ("127.0.0.1", 5), "sockname": ("127.0.0.1", 80)}.get(name, default)

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class Complaints(logging.Handler):
    """What the server and the API log above a warning: an exception that nobody meant."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))


class Client:
    def __init__(self, app: object, loop: asyncio.AbstractEventLoop):
        self._config, self._loop, self.complaints = server.build(app).config, loop, Complaints()
        self._config.load()
        logging.getLogger().addHandler(self.complaints)

    def send(self, content: bytes) -> bytes:
        return self._loop.run_until_complete(self._sent(content))

    async def _sent(self, content: bytes) -> bytes:
        state, wire = ServerState(), Wire()
        connection = server.Connection(self._config, state, {}, self._loop)
        connection.connection_made(wire)
        connection.data_received(content or b"\r")  # asyncio hands on no empty bytes
        until_s = self._loop.time() + LONGEST_ANSWER_S
        while state.tasks and self._loop.time() < until_s and not (leaving := _has_left(connection, wire)):
            await asyncio.wait(set(state.tasks), timeout=STREAM_S, return_when=asyncio.FIRST_COMPLETED)
        late = state.tasks and not leaving
        connection.connection_lost(None)
        if state.tasks:
            await asyncio.wait(set(state.tasks), timeout=LONGEST_ANSWER_S)
        assert not state.tasks, "a task goes on after its client has left"
        assert not late, f"no answer within {LONGEST_ANSWER_S} s"
        return bytes(wire.sent)


def _has_left(connection: server.Connection, wire: Wire) -> bool:
    """A client leaves a stream of events once it has begun, and never sends the rest of a body that it announced."""
    return b"text/event-stream" in wire.sent or connection.conn.their_state is h11.SEND_BODY


@contextlib.contextmanager
def _api(folder: Path) -> Iterator[Opened]:
    from tests.edge.daemon import tiny

    home = tiny.build(folder)
    guard.REQUESTS_PER_S = 1e9  # what is tried here is not the limit on the rate
    loop = asyncio.new_event_loop()
    options = DaemonOptions(firmware.load("workstation"), folder / "state", audio="none", bundle=home.bundle,
                            catalog=home.catalog, engine="onnx", trust=_trust(home.keys))
    with open_house(options, loop) as house:
        client = Client(api.build(house.room, address=Address(host="127.0.0.1", port=80), token=None), loop)

        def parse(_key: str, content: bytes) -> None:
            client.complaints.said.clear()
            answer = client.send(content)
            assert not client.complaints.said, client.complaints.said[0]
            assert not answer or answer.startswith(b"HTTP/1.1 "), answer[:80]
            assert not answer.startswith(b"HTTP/1.1 500"), answer[-200:]

        yield [("", request) for request in REQUESTS], parse


def _trust(keys: Path):
    from edge.trust import load_trust

    return load_trust(keys)


PARSERS = (Parser("api", 40, _api),)
