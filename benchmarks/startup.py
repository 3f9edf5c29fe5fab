"""How long from nothing to the first answer, page cache warm and cold, and from SIGTERM to the end?"""

import os
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import edge
from benchmarks.clips import sample_clips
from benchmarks.daemon import started
from benchmarks.process import run_python, write_profile
from benchmarks.report import Row
from edge.firmware import MIB, FirmwareProfile

REPEATS = 10
COLD_REPEATS = 3
PACKAGES = ("numpy", "ai_edge_litert", "onnxruntime", "starlette", "uvicorn", "cv2",
            "opencv_python_headless", "av", "soxr", "google")
COMMANDS = {
    "python alone": ["-c", "pass"],
    "import numpy": ["-c", "import numpy"],
    "roomtone --version": ["-m", "edge.cli", "--version"],
    "roomtone search": ["-m", "edge.cli", "search", "music", "-k", "1", "--json"],
}


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """Modules are compiled, as at any start but the first.

    ``cold``: the kernel was asked to drop the files of Roomtone, its packages and Python from memory, as after a boot;
    it keeps what other processes use. ``read_mib`` is what the daemon then read from the disk: on an SD card of
    20 MB/s, that many twentieths of a second at least.
    """
    rows = [_row(name, [run_python(*command).wall_s for _ in range(REPEATS + 1)][1:])
            for name, command in COMMANDS.items()]
    with tempfile.TemporaryDirectory() as folder:
        settings = str(write_profile(profile, Path(folder) / f"{profile.name}.toml"))
        starts = [_start(profile, settings) for _ in range(REPEATS + 1)][1:]
        cold = [_cold_start(profile, settings) for _ in range(COLD_REPEATS)]
    rows.append(_row("daemon: answers", [start.ready_s for start in starts]))
    rows.append(_row("daemon: first list of ten", [start.list_s for start in starts]))
    rows.append(_row("cold daemon: first list of ten", [start.list_s for start in cold],
                     read_mib=max(start.read_bytes for start in cold) / MIB))
    rows.append(_row("daemon: SIGTERM to exit", [start.stop_s for start in starts]))
    return rows


@dataclass(frozen=True)
class Start:
    """Of the process: to its first answer, to its first recommendations, what it read for them, and how it ended."""

    ready_s: float
    list_s: float
    read_bytes: int
    stop_s: float


def _start(profile: FirmwareProfile, settings: str) -> Start:
    sound, film = sample_clips()
    sources = ["--audio", f"file:{sound}", "--video", f"file:{film}" if profile.video.enabled else "none"]
    began_s = time.perf_counter()
    with started("--profile", settings, *sources) as daemon:
        daemon.wait_ready()
        ready_s = time.perf_counter() - began_s
        daemon.get("/v1/recommendations?k=10")
        return Start(ready_s, time.perf_counter() - began_s, daemon.read_bytes(), daemon.stop())


def _cold_start(profile: FirmwareProfile, settings: str) -> Start:
    for folder in _folders():
        for path in folder.rglob("*"):
            if path.is_file() and ("site-packages" in folder.parts or "site-packages" not in path.parts):
                _forget(path)
    return _start(profile, settings)


def _folders() -> Iterator[Path]:
    """What a device reads to start: Roomtone, Python's library, the packages and the libraries beside them."""
    yield Path(edge.__file__).parent
    yield Path(sysconfig.get_path("stdlib"))
    packages = Path(sysconfig.get_path("platlib"))
    for name in PACKAGES:
        yield from (packages / name, packages / f"{name}.libs")


def _forget(path: Path) -> None:
    """Have the kernel drop a file from its page cache; needs no privilege."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _row(name: str, wall_s: list[float], **more: float) -> Row:
    return Row(name, {"median_ms": float(np.median(wall_s)) * 1e3, "max_ms": max(wall_s) * 1e3, **more})
