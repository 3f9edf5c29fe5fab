import asyncio
import socket

import pytest
from starlette.responses import PlainTextResponse

from edge.daemon import server


def ask(sent, *, seconds=5):
    """What a server of one fixed text sends back until it closes the connection."""

    async def scene():
        listening = socket.create_server(("127.0.0.1", 0))
        http = server.build(PlainTextResponse("in"))
        serving = asyncio.create_task(http.serve(sockets=[listening]))
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(sent)
        received = await asyncio.wait_for(reader.read(), seconds)
        writer.close()
        http.should_exit = True
        await serving
        return received

    return asyncio.run(scene())


def test_a_client_that_says_nothing_is_cut_off(monkeypatch):
    monkeypatch.setattr(server, "REQUEST_S", 0.05)
    assert ask(b"GET / HTTP/1.1\r\nHost:") == b""


WHOLE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("begun", [b"G", WHOLE[:-2], b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nbody"],
                         ids=["a letter", "a head", "a body"])
def test_a_later_request_that_is_never_whole_is_cut_off(monkeypatch, begun):
    monkeypatch.setattr(server, "REQUEST_S", 0.2)
    answer = ask(WHOLE * 2 + begun)
    assert answer.count(b"HTTP/1.1 200 OK") == 2 + begun.startswith(b"POST")


def test_a_client_between_two_requests_is_not_cut_off(monkeypatch):
    """Not after REQUEST_S: only when KEEP_ALIVE_S are over."""
    monkeypatch.setattr(server, "REQUEST_S", 0.05)
    with pytest.raises(TimeoutError):
        ask(WHOLE, seconds=0.5)


def test_endless_headers_are_refused():
    answer = ask(b"GET / HTTP/1.1\r\nX: " + b"x" * server.MAX_HEADER_BYTES * 2)
    assert answer.startswith(b"HTTP/1.1 400")


def test_a_request_is_answered_without_the_server_s_name():
    answer = ask(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").lower()
    assert answer.startswith(b"http/1.1 200 ok")
    assert b"server:" not in answer
