"""Each script, cut short, on the shipped assets: figures that make sense, not how fast this machine is."""

import dataclasses
import tomllib

import pytest

from benchmarks import end_to_end, inference, memory, process, startup, streaming, sustained
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
    hear, listing, sound = end_to_end.run(speaker, peers=False)
    assert hear.figures["taken_s"] == pytest.approx(12, abs=1)
    assert hear.figures["real_time_factor"] > 1
    assert 0 < hear.figures["cpu_percent"] < 100
    assert 0 < listing.figures["wall_ms"] <= listing.figures["p95_ms"]
    assert sound.figures["peak_mib"] > 20
    assert sound.name.endswith(".ogg"), "a speaker has no screen, and nothing to open a film with"


def test_end_to_end_of_a_screen(monkeypatch):
    monkeypatch.setattr(end_to_end, "REPEATS", 1)
    monkeypatch.setattr(end_to_end, "LISTS", 2)
    monkeypatch.setattr(end_to_end, "_commands", lambda profile: [])
    hear, see, both, _ = (row.figures for row in end_to_end.run(firmware.load("rpi-4-tv"), peers=False))
    assert both["wall_ms"] > max(hear["wall_ms"], see["wall_ms"]) / 2
    assert hear["real_time_factor"] > see["real_time_factor"] > 1


def test_sustained(speaker):
    *rows, last = sustained.run(speaker, peers=False, seconds=0.3)
    assert len(rows) == sustained.PARTS
    assert all(row.figures["real_time_factor"] > 1 for row in rows)
    assert rows[0].figures["temperature_c"] == "not told" or rows[0].figures["temperature_c"] > 0
    quarter = [row.figures["real_time_factor"] for row in rows]
    assert last.figures["ratio"] == pytest.approx(sum(quarter[-3:]) / sum(quarter[:3]))


def test_streaming(monkeypatch, speaker, tmp_path):
    monkeypatch.setattr(streaming, "REPEATS", 1)
    monkeypatch.setattr(streaming, "SECONDS", 5)
    monkeypatch.setenv("ROOMTONE_PEERS", str(tmp_path))
    hear, recommend, *missing = streaming.run(speaker, peers=True)
    assert 0 < hear.figures["cpu_percent"] < 100
    assert 20 < hear.figures["peak_mib"] < recommend.figures["peak_mib"]
    assert [row.note.partition(" is not")[0] for row in missing] == [
        "openwakeword", "pyopen-wakeword", "pymicro-wakeword"]


def test_startup(monkeypatch, speaker):
    monkeypatch.setattr(startup, "REPEATS", 1)
    monkeypatch.setattr(startup, "COLD_REPEATS", 1)
    monkeypatch.setattr(startup, "_folders", lambda: [])
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
