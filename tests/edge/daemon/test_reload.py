"""SIGHUP: what lies on the disk now is opened, in the same process and on the same socket; what is broken is not."""

import os
import shutil
import signal
import socket
import threading
import time

import httpx
import pytest

from edge.daemon import inherited, listen
from edge.errors import UsageError

BELLS = "track:tiny/bells"


@pytest.fixture
def catalog(home, tmp_path):
    return shutil.copytree(home.catalog, tmp_path / "catalog")


def test_reloads_in_the_same_process_without_refusing_anybody(running, tmp_path, catalog, wait_until):
    with running(tmp_path, "--catalog", catalog) as daemon, daemon.client() as client:
        before = client.get("/v1/status").json()
        client.post("/v1/feedback", json={"id": "1", "item": BELLS, "event": "like", "user": "anna"})
        stop, refused = threading.Event(), []

        def ask():
            while not stop.is_set():
                try:
                    with daemon.client() as fresh:
                        fresh.get("/healthz")
                except httpx.ConnectError as error:
                    refused.append(error)
                except httpx.TransportError:
                    pass  # an answer under way when the old process ended

        asking = threading.Thread(target=ask)
        asking.start()
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: daemon.log.count("ready in") == 2)
        stop.set()
        asking.join()
        assert refused == []
        with daemon.client() as again:
            after = again.get("/v1/status").json()
            assert after["since_s"] > before["since_s"]
            assert after["snapshot_since_s"] == before["snapshot_since_s"]
            assert again.delete("/v1/users/anna").json()["forgotten"] == 1
        assert daemon.stop() == 0


def test_a_storm_of_signals_ends_nothing(running, tmp_path, catalog, wait_until):
    """Also those that come while the new process has no handler yet."""
    with running(tmp_path, "--catalog", catalog) as daemon:
        for _ in range(40):
            daemon.process.send_signal(signal.SIGHUP)
            time.sleep(0.02)
        wait_until(lambda: daemon.log.count("ready in") >= 2)
        with daemon.client() as client:
            wait_until(lambda: client.get("/healthz").status_code in (200, 503))
        assert daemon.stop() == 0


def test_a_broken_catalogue_is_refused_and_all_stays_as_it_was(running, tmp_path, catalog, wait_until):
    with running(tmp_path, "--catalog", catalog) as daemon, daemon.client() as client:
        before = client.get("/v1/status").json()
        manifest = catalog / "manifest.json"
        manifest.rename(catalog / "away")
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "not reloaded, all stays as it was" in daemon.log)
        assert client.get("/v1/status").json()["since_s"] == before["since_s"]
        (catalog / "away").rename(manifest)
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: daemon.log.count("ready in") == 2)
        assert daemon.stop() == 0


def test_a_unix_socket_stays_through_a_reload_and_goes_at_the_end(running, tmp_path, wait_until):
    path = tmp_path / "api.sock"
    with running(tmp_path, "--listen", f"unix:{path}") as daemon:
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: daemon.log.count("ready in") == 2)
        with daemon.client() as client:
            assert client.get("/healthz").status_code == 200
        assert daemon.stop() == 0
    assert not path.exists()


def test_a_socket_that_listens_elsewhere_is_refused():
    with socket.socket() as elsewhere:
        elsewhere.bind(("0.0.0.0", 0))
        with pytest.raises(UsageError, match=r"listens on .*0\.0\.0\.0"):
            inherited.check_place(elsewhere, listen.parse("127.0.0.1:0"))


def test_what_is_meant_for_another_process_is_left_alone(monkeypatch):
    monkeypatch.setenv("LISTEN_PID", str(os.getpid() + 1))
    monkeypatch.setenv("LISTEN_FDS", "1")
    listening, ours = inherited.open_socket(listen.parse("127.0.0.1:0"))
    with listening:
        assert ours
