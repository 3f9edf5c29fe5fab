"""Each script, cut short, on the shipped assets: figures that make sense, not how fast this machine is."""

import dataclasses
import tomllib

import pytest

from benchmarks import end_to_end, inference, memory, process, startup
from edge import firmware
from edge.errors import RoomtoneError


@pytest.fixture
def speaker():
    return firmware.load("rpi-zero-2w-speaker")


def test_inference(monkeypatch, speaker):
    monkeypatch.setattr(inference, "REPEATS", {"audio": 3, "video": 2})
    rows = {row.name: row.figures for row in inference.run(speaker, peers=False)}
    assert {name.partition(",")[0] for name in rows} == {"audio", "video"}
    for name, figures in rows.items():
        assert figures["median_ms"] is None or 0 < figures["ratio"] <= 1, name
    assert 1 in [figures.get("ratio") for figures in rows.values()]


def test_memory(monkeypatch, speaker):
    monkeypatch.setattr(memory, "WATCHED_S", 1.0)
    rows = {row.name: row for row in memory.run(speaker, peers=False)}
    assert list(rows)[:5] == ["python", "http", "catalogue", "runtime", "audio_model"]
    assert not any(name.startswith("video") for name in rows)
    parts = [row.figures for name, row in rows.items() if name not in ("all steps", "daemon, sample clips")]
    assert sum(part["resident_mib"] or 0 for part in parts) == pytest.approx(rows["all steps"].figures["resident_mib"])
    daemon = rows["daemon, sample clips"].figures
    assert 30 < daemon["resident_mib"] < daemon["planned_mib"] + 8


def test_end_to_end(monkeypatch, speaker):
    monkeypatch.setattr(end_to_end, "REPEATS", 1)
    monkeypatch.setattr(end_to_end, "LISTS", 2)
    hear, listing, sound, film = end_to_end.run(speaker, peers=False)
    assert hear.figures["taken_s"] == pytest.approx(12, abs=1)
    assert hear.figures["real_time_factor"] > 1
    assert 0 < hear.figures["cpu_percent"] < 100
    assert listing.figures["wall_ms"] > 0
    assert sound.figures["peak_mib"] > 20
    assert film.name.endswith(".mp4")


def test_startup(monkeypatch, speaker):
    monkeypatch.setattr(startup, "REPEATS", 1)
    rows = {row.name: row.figures["median_ms"] for row in startup.run(speaker, peers=False)}
    assert 0 < rows["python alone"] < rows["roomtone search"]
    assert 0 < rows["daemon: answers"] <= rows["daemon: first list of ten"]


def test_a_profile_reaches_child_processes_whole(tmp_path):
    for name in firmware.names():
        profile = dataclasses.replace(firmware.load(name), description='quotes " and \\ and \u00fc')
        path = process.write_profile(profile, tmp_path / "profile.toml")
        assert firmware.load(path) == profile
        tomllib.loads(path.read_text())


def test_a_child_that_fails_is_said_with_its_last_words():
    with pytest.raises(RoomtoneError, match="failed: no such thing"):
        process.run_python("-c", "import sys; print('x'); sys.exit('no such thing')")
    with pytest.raises(RoomtoneError, match="failed: ValueError: why"):
        process.json_from_python("-c", "raise ValueError('why')")
    assert process.json_from_python("-c", "print('[1]')") == [1]


def test_what_a_child_used_is_its_own():
    usage = process.run_python("-c", "x = bytearray(64 << 20)")
    assert usage.peak_bytes > 64 << 20
    assert 0 < usage.cpu_s < 30
    assert usage.wall_s > 0
