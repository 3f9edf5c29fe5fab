"""Nothing leaves the device, and nothing of a user stays behind when it is to be forgotten."""

import http.client
import json
import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

USER = "zebedee-quux"
NO_NETWORK = ("unshare", "--user", "--map-root-user", "--net")


def namespaces():
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*NO_NETWORK, "true"], capture_output=True, check=False).returncode == 0


def ask(path, method, route, body=None):
    """One request over a unix socket, which leads out of a network namespace."""
    connection = http.client.HTTPConnection("localhost", timeout=20)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(path))
    headers = {"Content-Type": "application/json"} if body else {}
    connection.request(method, route, json.dumps(body) if body else None, headers)
    answer = connection.getresponse()
    content = json.loads(answer.read())
    assert answer.status == 200, content
    return content


def liked(item, number, user=USER):
    return {"id": f"{user}-{number}", "user": user, "item": item, "event": "like"}


def traces(state, word):
    return [path for path in state.rglob("*") if path.is_file() and word.encode() in path.read_bytes()]


@pytest.mark.skipif(not namespaces(), reason="unshare --net is not permitted here")
def test_without_any_network_it_starts_hears_learns_and_recommends(running, home, tmp_path, wait_until):
    bells = next(iter(home.tunes))
    path = tmp_path / "socket"
    with running(tmp_path, "--audio", f"file:{home.tunes[bells]}", "--listen", f"unix:{path}",
                 launcher=NO_NETWORK) as daemon:
        wait_until(lambda: ask(path, "GET", "/v1/status")["audio"]["embeddings"])
        assert ask(path, "POST", "/v1/feedback", liked(bells, 1))["new"]
        assert ask(path, "GET", f"/v1/recommendations?user={USER}")["recommendations"]
        assert ask(path, "GET", "/v1/now")["context"]["audio"]
        for table in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
            lines = Path(f"/proc/{daemon.process.pid}/net/{table}").read_text().splitlines()
            assert len(lines) == 1, f"{table}: {lines[1:]}"


def test_over_tcp_the_listening_socket_is_all_that_it_opens(running, home, tmp_path, wait_until):
    with running(tmp_path, "--audio", f"file:{next(iter(home.tunes.values()))}") as daemon:
        with daemon.client() as client:
            wait_until(lambda: client.get("/v1/status").json()["audio"]["embeddings"])
            client.get("/v1/recommendations").raise_for_status()
        port = int(daemon.url.rstrip("/").rpartition(":")[2])
        wait_until(lambda: _ports(daemon.process.pid) == {port})


def _ports(process):
    """Local ports of the sockets that a process holds and that are not those of a client that has left."""
    held = set()
    for link in Path(f"/proc/{process}/fd").iterdir():
        try:
            held.add(str(link.readlink()))
        except OSError:
            continue
    ports = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if f"socket:[{fields[9]}]" in held:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports


def test_only_the_owner_can_read_the_state(running, home, tmp_path):
    with running(tmp_path) as daemon, daemon.client() as client:
        assert client.post("/v1/feedback", json=liked(next(iter(home.tunes)), 1)).json()["new"]
        client.post("/v1/mute", json={"muted": True}).raise_for_status()
        state = tmp_path / "state"
        assert stat.S_IMODE(state.stat().st_mode) == 0o700
        modes = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in state.rglob("*") if path.is_file()}
    assert {"history.db", "history.db-wal", "muted"} <= modes.keys()
    assert set(modes.values()) == {"0o600"}


def test_what_the_running_daemon_forgets_leaves_no_byte(running, home, tmp_path):
    state = tmp_path / "state"
    with running(tmp_path) as daemon, daemon.client() as client:
        items = list(home.tunes)
        for number in range(300):
            client.post("/v1/feedback", json=liked(items[number % 3], number)).raise_for_status()
        client.post("/v1/feedback", json=liked(items[0], 1, "other")).raise_for_status()
        client.get(f"/v1/recommendations?user={USER}").raise_for_status()
        assert traces(state, USER)
        assert client.delete(f"/v1/users/{USER}").json()["forgotten"] == 300
        assert traces(state, USER) == []
        client.get(f"/v1/recommendations?user={USER}").raise_for_status()
        assert traces(state, USER) == []
        assert traces(state, "other")
        assert USER not in daemon.log
    assert traces(state, USER) == []
    assert USER not in daemon.log


def test_what_the_command_forgets_leaves_no_byte_beside_a_daemon_or_without_one(running, home, tmp_path):
    state, bells = tmp_path / "state", next(iter(home.tunes))

    def forget(user):
        return subprocess.run([sys.executable, "-m", "edge.cli", "forget", "--user", user, "--state", str(state)],
                              capture_output=True, text=True, check=False, timeout=60)

    with running(tmp_path) as daemon, daemon.client() as client:
        for user in (USER, "second-user"):
            for number in range(100):
                client.post("/v1/feedback", json=liked(bells, number, user)).raise_for_status()
        client.get(f"/v1/recommendations?user={USER}").raise_for_status()
        done = forget(USER)
        assert done.returncode == 0, done.stderr
        assert traces(state, USER) == []
    assert traces(state, "second-user")
    assert forget("second-user").returncode == 0
    assert traces(state, "second-user") == []
