import functools
import http.server
import threading
import time

import pytest

from tests.edge.video import films


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    """Four seconds, 25 pictures a second."""
    return films.write(tmp_path_factory.mktemp("film") / "film.mp4", films.at_25_a_second(100),
                       options={"movflags": "faststart"})


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class _Stalling(_Quiet):
    """Promises the whole file and stops after a part of it."""

    def copyfile(self, source, outputfile):
        outputfile.write(source.read(self.server.stalls_after))
        outputfile.flush()
        self.server.released.wait(20)


class _Dying(_Quiet):
    """Ends the connection after a part of the file."""

    def copyfile(self, source, outputfile):
        outputfile.write(source.read(self.server.stalls_after))


@pytest.fixture
def serve():
    """``serve(folder, stalls_after=None, dies_after=None)`` -> the URL of a folder on loopback."""
    servers = []

    def start(folder, *, stalls_after=None, dies_after=None):
        handler = _Stalling if stalls_after else _Dying if dies_after else _Quiet
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder)))
        server.daemon_threads = True
        server.stalls_after, server.released = stalls_after or dies_after, threading.Event()
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.released.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def no_waiting(monkeypatch):
    """What Pace would have slept, in seconds, in place of sleeping."""
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept
