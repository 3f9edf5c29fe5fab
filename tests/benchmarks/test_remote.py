"""Peers in environments of their own: a child works when it is told to, and times itself."""

import sys
from pathlib import Path

import pytest

from benchmarks import environments
from benchmarks.remote import Remote
from benchmarks.timing import interleave
from edge.errors import RoomtoneError

PROGRAM = """
import sys
from benchmarks.peers.served import serve
done = []
def work():
    done.append(sum(range(200_000)))
    if len(done) == 5: sys.exit("enough")
serve(work)
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def module(program: str) -> Remote:
        (tmp_path / "peer_of_a_test.py").write_text(program)
        return Remote(Path(sys.executable), "peer_of_a_test")

    return module


def test_a_child_works_when_told_and_says_what_it_took(module):
    with module(PROGRAM) as remote:
        timing = interleave({"remote": remote}, repeats=3, warmup=1)["remote"]
        assert (timing.wall_s > 1e-5).all()
        assert (timing.cpu_s > 1e-5).all()
        with pytest.raises(RoomtoneError, match="ended: enough"):
            remote()


def test_a_child_that_does_not_start_is_said_with_its_last_words(module):
    with pytest.raises(RoomtoneError, match="did not start: ModuleNotFoundError: No module named 'no_such_library'"):
        module("import no_such_library")


def test_a_peer_that_is_not_installed_is_said_with_the_fix(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(environments.VARIABLE, str(tmp_path))
    with pytest.raises(RoomtoneError, match="openwakeword is not installed: python -m benchmarks peers --install"):
        environments.python_of("openwakeword")
    assert environments.main([]) == 0
    listed = capsys.readouterr().out
    assert "| openwakeword | not installed | python -m benchmarks peers --install |" in listed


def test_the_version_in_an_environment_is_found(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(environments.VARIABLE, str(tmp_path))
    info = tmp_path / "pymicro-wakeword" / "lib" / "python3.11" / "site-packages" / "pymicro_wakeword-2.5.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pymicro-wakeword\nVersion: 2.5.0\n")
    assert environments.main([]) == 0
    assert "| pymicro-wakeword | 2.5.0 |" in capsys.readouterr().out
