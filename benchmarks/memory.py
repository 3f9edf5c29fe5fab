"""How much memory does each part take, and does the plan hold?"""

import tempfile
import time
from pathlib import Path

from benchmarks.clips import sample_clips
from benchmarks.daemon import started
from benchmarks.process import json_from_python, write_profile
from benchmarks.report import Row
from benchmarks.stages import steps
from edge.bundle import open_bundle
from edge.catalog import snapshot
from edge.errors import RoomtoneError
from edge.firmware import MIB, FirmwareProfile
from edge.memory import MICROPHONE_BYTES, Plan, plan

WATCHED_S = 12.0


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """Each step in a fresh process after all those before it; then a real daemon on the sample clips.

    ``resident_mib`` is what the plan is about: whole pages, as if nothing else ran the same libraries.
    """
    with snapshot.open_snapshot() as catalog:
        planned = plan(profile, open_bundle(), catalog)
    with tempfile.TemporaryDirectory() as folder:
        settings = str(write_profile(profile, Path(folder) / f"{profile.name}.toml"))
        return [*_steps(profile, planned, settings), _daemon(profile, planned, settings)]


def _steps(profile: FirmwareProfile, planned: Plan, settings: str) -> list[Row]:
    _, film = sample_clips()
    fixed = ["--profile", settings, "--catalog", str(snapshot.DEFAULT), "--film", str(film)]
    rows, before = [], {"resident_bytes": 0, "pss_bytes": 0, "anonymous_bytes": 0}
    for count, step in enumerate(steps(profile), start=1):
        try:
            after = json_from_python("-m", "benchmarks.stages", str(count), *fixed)
        except RoomtoneError as error:
            rows.append(Row(step, {"resident_mib": None}, note=str(error)))
            continue
        rows.append(_row(step, _planned(planned, step), {key: after[key] - before[key] for key in before}))
        before = {key: after[key] for key in before}
    return [*rows, _row("all steps", planned.total_bytes, before)]


def _planned(planned: Plan, step: str) -> int:
    if step == "microphone":
        return MICROPHONE_BYTES
    return planned.parts[step] - (MICROPHONE_BYTES if step == "audio_input" else 0)


def _daemon(profile: FirmwareProfile, planned: Plan, settings: str) -> Row:
    """The highest of what is read every quarter of a second while it hears, sees and is asked for lists."""
    sound, film = sample_clips()
    sources = ["--audio", f"file:{sound}", "--video", f"file:{film}" if profile.video.enabled else "none"]
    seen: dict[str, int] = {}
    with started("--profile", settings, *sources) as daemon:
        daemon.wait_ready()
        until_s = time.monotonic() + WATCHED_S
        while time.monotonic() < until_s:
            daemon.get("/v1/recommendations?k=10")
            seen = {key: max(value, seen.get(key, 0)) for key, value in daemon.memory().items()}
            time.sleep(0.25)
    return _row("daemon, sample clips", planned.total_bytes, seen, note=f"peak {seen['peak_bytes'] / MIB:.1f} MiB of a "
                f"budget of {profile.memory.budget_mib} MiB; sound from a file, not a microphone")


def _row(name: str, planned_bytes: int, measured: dict[str, int], note: str = "") -> Row:
    return Row(name, {"planned_mib": planned_bytes / MIB, "resident_mib": measured["resident_bytes"] / MIB,
                      "pss_mib": measured["pss_bytes"] / MIB, "anonymous_mib": measured["anonymous_bytes"] / MIB}, note)
