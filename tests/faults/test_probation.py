"""A release on trial in a daemon that lives: kept once it has been healthy, taken back where it never was."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from edge.update import pointer, trial
from edge.update.pointer import Pointer

IMPATIENT = "from edge.update import trial\ntrial.HEALTHY_AFTER_S = 0.3\n"
"""A minute of health, made short for the test before the daemon reads it."""
NAME = "7+abc"


@pytest.fixture
def on_trial(home, tmp_path):
    """The tiny household's bundle and catalogue as a release that was just installed."""
    updates = tmp_path / "state" / trial.UPDATES
    folder = updates / trial.RELEASES / NAME
    shutil.copytree(home.bundle, folder / trial.BUNDLE)
    shutil.copytree(home.catalog, folder / trial.CATALOG)
    pointer.write(updates, Pointer().pointing_at(NAME))
    return updates


@pytest.fixture
def start(home, process, tmp_path):
    def start(*arguments, impatient=False):
        environment = {}
        if impatient:
            (tmp_path / "sitecustomize.py").write_text(IMPATIENT)
            environment["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', str(Path.cwd()))}"
        return process.running(tmp_path, "--profile", "workstation", "--engine", "onnx", "--keys", home.keys, "--state",
                               tmp_path / "state", "--listen", "127.0.0.1:0", "--audio", "none", *arguments,
                               environment=environment)

    return start


def test_one_that_is_healthy_is_kept(on_trial, start, wait_until):
    assert not pointer.read(on_trial).proved
    with start(impatient=True) as daemon, daemon.client() as client:
        assert client.get("/v1/status").json()["bundle"] == "tiny 1"
        wait_until(lambda: pointer.read(on_trial).proved)
        assert daemon.stop() == 0
    assert f"release {NAME} is on trial, start 1 of 3" in daemon.log
    assert f"release {NAME} has proved itself" in daemon.log


def test_one_whose_daemon_dies_before_it_was_healthy_is_taken_back_and_stays_away(on_trial, start):
    for _ in range(trial.MOST_STARTS):
        with start() as daemon, daemon.client() as client:
            assert client.get("/v1/status").json()["bundle"] == "tiny 1"
            daemon.stop(signal.SIGKILL)
    with start() as daemon, daemon.client() as client:
        assert client.get("/v1/status").json()["bundle"] != "tiny 1"
        assert client.get("/v1/recommendations").json()["recommendations"]
        assert daemon.stop() == 0
    assert f"release {NAME} is taken back" in daemon.log
    assert NAME in pointer.read(on_trial).failed


def test_one_that_breaks_is_taken_back_within_the_start_that_finds_it(on_trial, start):
    model = on_trial / trial.RELEASES / NAME / trial.BUNDLE / "audio.onnx"
    model.write_bytes(model.read_bytes()[:-1])
    with start() as daemon, daemon.client() as client:
        assert client.get("/v1/status").json()["bundle"] != "tiny 1"
        assert daemon.stop() == 0
    assert "audio.onnx" in pointer.read(on_trial).failed[NAME]


def test_a_reload_takes_up_a_release_that_was_installed_meanwhile(on_trial, start, wait_until):
    pointer.write(on_trial, Pointer())
    with start() as daemon, daemon.client() as client:
        assert client.get("/v1/status").json()["bundle"] != "tiny 1"
        pointer.write(on_trial, Pointer().pointing_at(NAME))
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: client.get("/v1/status").json()["bundle"] == "tiny 1")
        assert daemon.stop() == 0
    assert pointer.read(on_trial).starts == 1
