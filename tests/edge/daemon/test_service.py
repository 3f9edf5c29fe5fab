"""The daemon's life as a process: start, stop, kill -9, mute, sockets, tokens, systemd."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import httpx
import pytest

BELLS, DRONE = "track:tiny/bells", "track:tiny/drone"


@pytest.fixture
def bells(home):
    return ("--audio", f"file:{home.tunes[BELLS]}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(running, tmp_path, bells, number):
    with (
        running(tmp_path, *bells) as daemon,
        daemon.client() as client,
        client.stream("GET", "/v1/events") as events,
    ):
        next(events.iter_lines())
        assert daemon.stop(number) == 0
    assert re.search(r"stopped in \d\.\d\d s", daemon.log)
    assert "Traceback" not in daemon.log


def test_an_acknowledged_event_survives_kill_9_and_is_there_once(running, tmp_path):
    acknowledged = [{"id": str(uuid.uuid4()), "item": BELLS, "event": "play", "user": "anna"} for _ in range(20)]
    with running(tmp_path) as daemon, daemon.client() as client:
        for event in acknowledged:
            assert client.post("/v1/feedback", json=event).json()["new"]
        daemon.stop(signal.SIGKILL)
    with running(tmp_path) as daemon, daemon.client() as client:
        assert not any(client.post("/v1/feedback", json=event).json()["new"] for event in acknowledged)
        assert client.delete("/v1/users/anna").json()["forgotten"] == len(acknowledged)


def test_feedback_changes_the_next_list(running, tmp_path):
    with running(tmp_path) as daemon, daemon.client() as client:
        client.post("/v1/feedback", json={"id": "1", "item": DRONE, "event": "like"})
        first = client.get("/v1/recommendations").json()["recommendations"][0]
    assert first["item"] == DRONE
    assert any("liked" in reason for reason in first["reasons"])


def test_mute_stops_capture_is_seen_and_survives_a_restart(running, tmp_path, bells, wait_until):
    with running(tmp_path, *bells) as daemon, daemon.client() as client:
        wait_until(lambda: client.get("/v1/status").json()["audio"]["frames"])
        assert client.post("/v1/mute", json={"muted": True}).json() == {"muted": True}
        wait_until(lambda: client.get("/v1/status").json()["audio"]["state"] == "muted")
        frames = client.get("/v1/status").json()["audio"]["frames"]
        assert client.get("/healthz").json() == {
            "ok": True, "muted": True, "senses": {"audio": "muted", "video": "off"}
        }
        time.sleep(0.3)
        assert client.get("/v1/status").json()["audio"]["frames"] == frames
        assert client.get("/v1/now").json()["context"]["audio"] is False
    with running(tmp_path, *bells) as daemon, daemon.client() as client:
        wait_until(lambda: client.get("/v1/status").json()["audio"]["state"] == "muted")
        assert client.get("/v1/status").json()["audio"]["frames"] == 0
        client.post("/v1/mute", json={"muted": False})
        wait_until(lambda: client.get("/v1/status").json()["audio"]["frames"])
        assert not client.get("/v1/status").json()["muted"]


def test_a_file_that_ends_leaves_what_it_said(running, tmp_path, bells, wait_until):
    with running(tmp_path, *bells, "--fast") as daemon, daemon.client() as client:
        wait_until(lambda: client.get("/v1/status").json()["audio"]["state"] == "ended")
        assert client.get("/v1/now").json()["recognition"]["item"] == BELLS
        assert client.get("/healthz").status_code == 200


def test_listens_on_a_unix_socket(running, tmp_path):
    path = tmp_path / "api.sock"
    with running(tmp_path, "--listen", f"unix:{path}") as daemon:
        assert daemon.url == f"unix:{path}"
        with daemon.client() as client:
            assert client.get("/v1/status").status_code == 200
        assert path.stat().st_mode & 0o777 == 0o660
        assert daemon.stop() == 0
    assert not path.exists()


def test_other_machines_need_a_token(running, tmp_path):
    token = tmp_path / "token"
    token.write_text("0123456789abcdef0123456789abcdef\n")
    token.chmod(0o600)
    with running(tmp_path, "--listen", "0.0.0.0:0", "--token-file", token) as daemon:
        port = daemon.url.rpartition(":")[2]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            assert client.get("/v1/status").status_code == 401
            assert client.get("/v1/events").status_code == 401
            assert client.get("/").status_code == 200
            known = {"Authorization": "Bearer 0123456789abcdef0123456789abcdef"}
            assert client.get("/v1/status", headers=known).status_code == 200
        assert "0123456789abcdef" not in daemon.log


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--listen", "0.0.0.0:0"), 2, "--token-file"),
        (("--listen", "tv.local:80"), 2, "--listen 'tv.local:80'"),
        (("--audio", "file:/nowhere/song.ogg"), 1, "/nowhere/song.ogg"),
        (("--audio", "radio:1"), 1, "radio:1"),
        (("--bundle", "/nowhere"), 1, "/nowhere"),
        (("--catalog", "/nowhere"), 1, "/nowhere"),
        (("--profile", "rpi-zero-2w-speaker", "--video", "file:/x.mp4"), 2, "does without video"),
        (("--profile", "toaster"), 2, "toaster"),
        (("--state", "/dev/null/state"), 1, "/dev/null/state"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(home, tmp_path, arguments, code, said):
    common = ("--bundle", home.bundle, "--keys", home.keys, "--catalog", home.catalog, "--engine", "onnx",
              "--state", tmp_path / "state", "--listen", "127.0.0.1:0", "--audio", "none")
    command = [sys.executable, "-m", "edge.cli", "daemon", *map(str, (*common, *arguments))]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == code, ended.stderr
    assert ended.stderr.startswith("roomtone: ")
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_said(running, home, tmp_path):
    with running(tmp_path) as daemon:
        port = daemon.url.rstrip("/").rpartition(":")[2]
        second = running(tmp_path, "--listen", f"127.0.0.1:{port}")
        with pytest.raises(AssertionError, match=f"cannot listen on 127.0.0.1:{port}"), second:
            pass


def test_systemd_hears_of_its_life(running, tmp_path, bells):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
        with running(tmp_path, *bells, environment=environment) as daemon:
            messages = [manager.recv(1000).decode() for _ in range(4)]
            daemon.stop()
            while not messages[-1].startswith("STOPPING"):
                messages.append(manager.recv(1000).decode())
    assert sum(message.startswith("READY=1\nSTATUS=listening on http://127.0.0.1:") for message in messages) == 1
    assert messages.count("WATCHDOG=1") >= 3
    assert messages[-1] == "STOPPING=1"


def test_prints_events_as_lines_of_json(running, tmp_path, bells, wait_until):
    with running(tmp_path, *bells, "--json") as daemon:
        wait_until(lambda: '"recognition": {' in daemon.log)
    lines = [json.loads(line) for line in daemon.log.splitlines() if line.startswith("{")]
    assert {line["event"] for line in lines} >= {"now", "recommendations", "status", "level"}


def test_loads_nothing_that_it_does_not_use(running, tmp_path, bells, wait_until):
    with running(tmp_path, *bells) as daemon, daemon.client() as client:
        wait_until(lambda: client.get("/v1/now").json()["context"]["audio"])
        mapped = Path(f"/proc/{daemon.process.pid}/maps").read_text()
    libraries = set(re.findall(r"site-packages/([^/\s]+)/", mapped))
    assert "onnxruntime" in libraries
    assert not libraries & {"torch", "scipy", "onnx", "cv2", "av", "faiss", "ai_edge_litert", "_sounddevice_data"}


def test_its_files_are_its_owners_alone(running, tmp_path):
    with running(tmp_path) as daemon, daemon.client() as client:
        client.post("/v1/feedback", json={"id": "1", "item": DRONE, "event": "like"})
        client.post("/v1/mute", json={"muted": True})
        state = tmp_path / "state"
        modes = {path.name: path.stat().st_mode & 0o077 for path in (state, *state.iterdir())}
    assert {"state", "history.db", "muted"} <= modes.keys()
    assert not any(modes.values()), modes
