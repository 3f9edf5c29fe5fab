"""Raw bytes at the listening socket: whatever is sent, the answer is refused in order or the line is cut, and the
daemon goes on answering."""

import json
import re
import socket
import time
from urllib.parse import urlsplit

import pytest

OK = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def sent(daemon, content, *, answers=1):
    """What comes back until there are so many answers or the line is cut."""
    place = urlsplit(daemon.url)
    received = b""
    with socket.create_connection((place.hostname, place.port), timeout=20) as line:
        try:
            line.sendall(content)
            if not answers:
                line.shutdown(socket.SHUT_WR)
            while (piece := line.recv(65536)) and (not answers or _complete(received + piece) < answers):
                received += piece
            received += piece
        except ConnectionError:  # cut while we were still sending
            pass
    return received


def _complete(received):
    """How many whole answers these bytes are."""
    count = 0
    while b"\r\n\r\n" in received:
        head, _, rest = received.partition(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                       if line.startswith(b"content-length:")), 0)
        if len(rest) < length:
            break
        received, count = rest[length:], count + 1
    return count


def post(body, *, path="/v1/feedback", headers=b""):
    return (b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n"
            % (path.encode(), headers, len(body))) + body


def statuses(answer):
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


@pytest.mark.parametrize(("content", "status"), [
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20, 400),
    (b"GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n", 400),
    (b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200_000 + b"\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 40_000, 400),
    (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: localhost\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
    (b"GET /healthz HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", 421),
    (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n", 403),
    (b"GET http://evil.example/healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
    (b"GET /page/../../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET /page/%2e%2e/%2e%2e/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET /page/..%5c..%5capi.py HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET /page//etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET /page/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET /page/%ff%fe HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET /v1/items/%ff%fe HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET /v1/items/%ed%a0%80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET /v1/items/a%0Ab HTTP/1.1\r\nHost: localhost\r\n\r\n", 422),
    (b"GET /v1/items/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 422),
    (b"GET /v1/search?q=%ff HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
    (b"TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
    (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (post(b"\xff\xfe\x00"), 400), (post(b"[" * 16_000), 400), (post(b'{"a":' * 3_000), 400),
    (post(b'{"id": "n", "item": "x", "event": "dwell", "value": NaN}'), 422),
    (post(b'{"id": "n", "item": "x", "event": "dwell", "value": 1e999}'), 422),
    (post(b'{"id": "n", "item": "x", "event": "play", "time_s": ' + b"9" * 10_000 + b"}"), 400),
    (post(b'{"id": "\\ud800", "item": "x", "event": "play"}'), 422),
    (post(b"{}" * 20_000), 413), (post(b"null"), 422), (post(b""), 400),
    (b"POST /v1/feedback HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
    (b"POST /v1/feedback HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415),
    (b"POST /v1/feedback HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
     b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400),
    (b"POST /v1/feedback HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
     b"Transfer-Encoding: chunked\r\n\r\n" + (b"4000\r\n" + b" " * 0x4000 + b"\r\n") * 2 + b"0\r\n\r\n", 413)])
def test_what_no_client_should_send_is_refused(daemon, content, status):
    assert statuses(sent(daemon, content))[:1] == [status]
    assert statuses(sent(daemon, OK)) == [200]


@pytest.mark.parametrize("content", [b"", b"\r\n" * 10, b"G", b"\0" * 1000, OK[:-2]])
def test_what_is_no_request_is_cut_or_refused(daemon, content):
    assert set(statuses(sent(daemon, content, answers=0))) <= {400}
    assert statuses(sent(daemon, OK)) == [200]


def test_requests_in_a_row_are_answered_in_their_order(daemon):
    asked = b"".join(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path for path in (
        b"/healthz", b"/nothing", b"/v1/search?q=bells", b"/v1/items/none"))
    assert statuses(sent(daemon, asked, answers=4)) == [200, 404, 200, 404]


def test_every_refusal_is_structured_and_shows_nothing_of_the_inside(daemon):
    answer = sent(daemon, post(b"[" * 16_000))
    body = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert set(body["error"]) == {"code", "message"}
    assert b"Traceback" not in answer
    assert b"server:" not in answer.lower()


def test_a_client_that_sends_a_byte_at_a_time_is_cut_and_holds_nobody_up(daemon):
    place = urlsplit(daemon.url)
    slow = [socket.create_connection((place.hostname, place.port), timeout=20) for _ in range(40)]
    try:
        for line in slow:
            line.sendall(OK[:10])
        began_s = time.monotonic()
        assert statuses(sent(daemon, OK)) == [200]
        assert time.monotonic() - began_s < 5
        for line in slow:  # REQUEST_S after it was opened
            assert line.recv(1) == b""
    finally:
        for line in slow:
            line.close()


def test_none_of_it_is_in_the_log(daemon):
    assert "Traceback" not in daemon.log
    assert "evil.example" not in daemon.log


def test_a_client_that_leaves_in_the_middle_of_a_body_is_no_error(running, tmp_path):
    with running(tmp_path) as daemon, daemon.client() as client:
        host, port = daemon.url.removeprefix("http://").rstrip("/").split(":")
        for _ in range(3):
            with socket.create_connection((host, int(port))) as leaving:
                leaving.sendall(b"POST /v1/feedback HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                b"Content-Length: 100\r\n\r\n{\"id\": ")
        assert client.get("/v1/status").status_code == 200
        assert daemon.stop() == 0
        assert "Traceback" not in daemon.log
