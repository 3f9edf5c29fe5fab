"""The tiny household and a running daemon for this folder's tests."""

import importlib.util
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def _helper(name):
    """A helper module beside this file; tests are imported by path, so folders are no packages."""
    specification = importlib.util.spec_from_file_location(f"daemon_tests_{name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tiny():
    return _helper("tiny")


@pytest.fixture(scope="session")
def home(tiny, tmp_path_factory):
    return tiny.build(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def process():
    return _helper("process")


@pytest.fixture(scope="session")
def running(home, process):
    """``running(folder, "--audio", ...)``: a context manager that gives a daemon of the tiny household."""

    def run(folder, *arguments, **settings):
        common = ("--profile", "workstation", "--engine", "onnx", "--bundle", home.bundle, "--keys", home.keys,
                  "--catalog", home.catalog)
        places = ("--state", folder / "state", "--listen", "127.0.0.1:0")
        senses = ("--audio", "none", "--video", "none")
        return process.running(folder, *common, *places, *senses, *arguments, **settings)

    return run


@pytest.fixture(scope="session")
def browsing():
    return _helper("browser").browsing


@pytest.fixture(scope="module")
def daemon(running, home, tmp_path_factory):
    """One that hears Bells, shared by the tests of a module."""
    with running(tmp_path_factory.mktemp("daemon"), "--audio", f"file:{home.tunes['track:tiny/bells']}") as started:
        yield started


@pytest.fixture
def client(daemon):
    with daemon.client() as opened:
        yield opened


@pytest.fixture(scope="session")
def wait_until():
    """Ask until the answer is true, and return it."""

    def wait(question, *, seconds=20):
        deadline_s = time.monotonic() + seconds
        while not (answer := question()):
            assert time.monotonic() < deadline_s, "it did not happen"
            time.sleep(0.05)
        return answer

    return wait
