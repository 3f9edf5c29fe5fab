"""How long from nothing to the first answer?"""

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.clips import sample_clips
from benchmarks.daemon import started
from benchmarks.process import run_python, write_profile
from benchmarks.report import Row
from edge.firmware import FirmwareProfile

REPEATS = 10
COMMANDS = {
    "python alone": ["-c", "pass"],
    "import numpy": ["-c", "import numpy"],
    "roomtone --version": ["-m", "edge.cli", "--version"],
    "roomtone search": ["-m", "edge.cli", "search", "music", "-k", "1", "--json"],
}


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """Files lie in the page cache and modules are compiled, as at any start of a device but its first."""
    rows = [_row(name, [run_python(*command).wall_s for _ in range(REPEATS + 1)][1:])
            for name, command in COMMANDS.items()]
    with tempfile.TemporaryDirectory() as folder:
        settings = str(write_profile(profile, Path(folder) / f"{profile.name}.toml"))
        starts = [_start(profile, settings) for _ in range(REPEATS + 1)][1:]
    rows.append(_row("daemon: answers", [ready_s for ready_s, _ in starts]))
    rows.append(_row("daemon: first list of ten", [list_s for _, list_s in starts]))
    return rows


def _start(profile: FirmwareProfile, settings: str) -> tuple[float, float]:
    """Seconds from the start of the process to its first answer, and to its first recommendations."""
    sound, film = sample_clips()
    sources = ["--audio", f"file:{sound}", "--video", f"file:{film}" if profile.video.enabled else "none"]
    began_s = time.perf_counter()
    with started("--profile", settings, *sources) as daemon:
        daemon.wait_ready()
        ready_s = time.perf_counter() - began_s
        daemon.get("/v1/recommendations?k=10")
        return ready_s, time.perf_counter() - began_s


def _row(name: str, wall_s: list[float]) -> Row:
    return Row(name, {"median_ms": float(np.median(wall_s)) * 1e3, "max_ms": max(wall_s) * 1e3})
