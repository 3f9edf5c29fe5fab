"""Live events of the real daemon, with readers of every speed."""

import json
import socket
import threading

import pytest

from edge.daemon.events import QUEUE_EVENTS

BELLS = "track:tiny/bells"


@pytest.fixture(scope="module")
def daemon(running, home, tmp_path_factory):
    with running(tmp_path_factory.mktemp("daemon"), "--audio", f"file:{home.tunes[BELLS]}") as started:
        yield started


def events(response):
    name = None
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_begins_with_all_that_is_known(client):
    with client.stream("GET", "/v1/events?user=anna") as response:
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        stream = events(response)
        first = dict(next(stream) for _ in range(3))
    assert set(first) == {"status", "now", "recommendations"}
    assert first["recommendations"]["user"] == "anna"


def test_goes_on_with_levels_and_with_what_feedback_changed(client, daemon):
    with client.stream("GET", "/v1/events?user=ben") as response, daemon.client() as other:
        stream = events(response)
        next(data for name, data in stream if name == "level")
        other.post("/v1/feedback", json={"id": "ben-1", "user": "ben", "item": "track:tiny/drone", "event": "like"})
        lists = (data["recommendations"] for name, data in stream if name == "recommendations")
        assert any(any("liked" in reason for reason in found[0]["reasons"]) for found in lists if found)


def test_what_is_shown_makes_no_next_list(running, tmp_path):
    """Of an impression no refresh comes, of a like one does; without senses nothing else asks for one."""
    with (running(tmp_path) as daemon, daemon.client() as client, daemon.client() as other,
          client.stream("GET", "/v1/events?user=eve") as response):
        lists = (data["recommendations"] for name, data in events(response) if name == "recommendations")
        next(lists)  # what the stream begins with
        for number, kind in enumerate([*["impression"] * 5, "like"]):
            body = {"id": f"eve {number}", "user": "eve", "item": "track:tiny/drone", "event": kind}
            assert other.post("/v1/feedback", json=body).json()["new"]
        assert any("liked" in reason for reason in next(lists)[0]["reasons"])
        refreshes = next(line for line in other.get("/metrics").text.splitlines()
                         if line.startswith("roomtone_refreshes_total "))
    assert float(refreshes.split()[-1]) <= 2  # the like's, and one that may have waited


def test_mute_is_told_at_once(client, daemon):
    with client.stream("GET", "/v1/events") as response, daemon.client() as other:
        stream = events(response)
        for muted in (True, False):
            other.post("/v1/mute", json={"muted": muted})
            next(data for name, data in stream if name == "status" and data["muted"] is muted)


def test_a_reader_that_stops_reading_holds_up_nobody(client, daemon, wait_until):
    """Many events, one reader that takes none: others are served, and it is told what it lost."""
    host, port = daemon.url.removeprefix("http://").rstrip("/").split(":")
    with socket.socket() as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.connect((host, int(port)))
        lazy.sendall(f"GET /v1/events?user=lazy HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        wait_until(lambda: client.get("/v1/status").json()["readers"] == 1)
        flood(client, wait_until)
        lazy.settimeout(20)
        received = b""
        while b"event: dropped" not in received:
            part = lazy.recv(65536)
            assert part, "the stream ended before it told what was lost"
            received = (received + part)[-200_000:]
    assert metric(client, "roomtone_events_dropped_total") > 0


def flood(client, wait_until):
    """Publish until the lazy reader's queue has overflowed."""

    def dropped():
        for number in range(QUEUE_EVENTS):
            client.post("/v1/mute", json={"muted": bool(number % 2)})
        return metric(client, "roomtone_events_dropped_total")

    wait_until(dropped, seconds=60)


def metric(client, name):
    line = next(line for line in client.get("/metrics").text.splitlines() if line.startswith(f"{name} "))
    return float(line.split()[1])


def test_a_reader_that_leaves_is_forgotten(client, wait_until):
    with client.stream("GET", "/v1/events") as response:
        stream = events(response)
        next(stream)
        assert client.get("/v1/status").json()["readers"] >= 1
    wait_until(lambda: client.get("/v1/status").json()["readers"] == 0)


def test_only_so_many_may_read(daemon, wait_until):
    with daemon.client() as client:
        wait_until(lambda: client.get("/v1/status").json()["readers"] == 0)
    full = threading.Barrier(17)
    done = threading.Event()
    readers = [threading.Thread(target=_read_until, args=(daemon, full, done)) for _ in range(16)]
    for reader in readers:
        reader.start()
    full.wait(20)
    with daemon.client() as client:
        answer = client.get("/v1/events")
        done.set()
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "too_many_readers")
        assert answer.headers["retry-after"]
    for reader in readers:
        reader.join()


def _read_until(daemon, full, done):
    with daemon.client() as client, client.stream("GET", "/v1/events") as response:
        stream = events(response)
        next(stream)
        full.wait(20)
        done.wait(20)
