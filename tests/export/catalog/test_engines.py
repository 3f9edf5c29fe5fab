"""One contract for what understands files, here and on a cluster: an outcome for each, never fatal, the same bytes."""

import os
import signal
import sys
from functools import partial

import pytest

from edge.errors import ExportError
from export.catalog.choice import ModelChoice
from export.catalog.local import LocalEngine
from export.catalog.packed import unpack
from export.catalog.scan import scan
from export.catalog.worker import REFUSED, UNDERSTOOD


@pytest.fixture(scope="module")
def identity():
    return ModelChoice().open().identity


@pytest.fixture
def wanted(tmp_path, write_track):
    for number in range(3):
        write_track(tmp_path / f"{number}.wav", 200 + 100 * number)
    (tmp_path / "bad.mp3").write_bytes(b"not music")
    return [(file.name, file) for file in scan(tmp_path)]


@pytest.fixture(params=["local", "ray"])
def open_engine(request):
    if request.param == "local":
        return partial(LocalEngine, workers=2)
    pytest.importorskip("ray")
    from export.catalog.on_ray import RayEngine

    return partial(RayEngine, workers=1)


def test_every_file_has_an_outcome(open_engine, identity, wanted):
    with open_engine(ModelChoice(), identity) as engine:
        outcomes = dict(engine.understand(wanted))
    assert {key: kind for key, (kind, _) in outcomes.items()} == {
        "0.wav": UNDERSTOOD, "1.wav": UNDERSTOOD, "2.wav": UNDERSTOOD, "bad.mp3": REFUSED}
    assert "bad.mp3" in outcomes["bad.mp3"][1].decode()
    assert unpack(outcomes["1.wav"][1])[0].fields["item"] == "track:1.wav"
    with LocalEngine(ModelChoice(), identity, workers=1) as local:
        assert dict(local.understand(wanted)) == outcomes


def test_a_crash_costs_its_file_only(identity, wanted):
    with LocalEngine(ModelChoice(), identity, workers=1) as engine:
        outcomes = engine.understand(wanted)
        first = next(outcomes)
        os.kill(engine._idle[0]._process.pid, signal.SIGKILL)
        rest = dict([first, *outcomes])
    refused = {key: content.decode() for key, (kind, content) in rest.items() if kind == REFUSED}
    assert (len(rest), len(refused)) == (4, 2)
    assert any("decoding it crashed (killed" in why for why in refused.values())


def test_workers_of_other_models_are_refused(wanted):
    with LocalEngine(ModelChoice(), "another bundle") as engine, pytest.raises(ExportError, match="other models"):
        list(engine.understand(wanted))


def test_a_worker_that_does_not_start_is_said(wanted, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with LocalEngine(ModelChoice(), "x") as engine, pytest.raises(ExportError, match="did not start"):
        list(engine.understand(wanted))


def test_no_files_no_workers(identity):
    with LocalEngine(ModelChoice(), identity) as engine:
        assert list(engine.understand([])) == []
        assert engine._idle == []
