"""What a figure depends on: processor, clock, temperature, kernel, versions, profile, date."""

import datetime
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks import board
from edge import __version__
from edge.firmware import FirmwareProfile

CPU_FLAGS = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "amx_int8", "asimd", "asimddp", "fphp", "asimdhp", "i8mm",
             "sve")
"""The instructions that int8 and float32 inference are fast or slow by."""
PACKAGES = ("numpy", "ai-edge-litert", "tflite-runtime", "onnxruntime", "faiss-cpu", "opencv-python-headless", "av",
            "soundfile", "torch", "kaldi-native-fbank", "python-speech-features", "librosa", "usearch", "hnswlib",
            "sqlite-vec", "implicit", "ray")
NOT_TOLD = "not told by this machine"


def describe(profile: FirmwareProfile) -> dict[str, Any]:
    """The header of every report."""
    cpu = _cpu()
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "cpu": cpu["model"],
        "cores": os.cpu_count(),
        "flags": [flag for flag in CPU_FLAGS if flag in cpu["flags"]],
        "governor": board.governor() or NOT_TOLD,
        "clock_mhz": _told(board.clock_mhz()),
        "temperature_c": _told(board.temperature_c()),
        "load": [round(load, 2) for load in os.getloadavg()],
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "roomtone": __version__,
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "profile": profile.name,
        "blas_threads": int(os.environ.get("OMP_NUM_THREADS", 0)) or "not pinned",
    }


def _told(value: float | None) -> float | str:
    return NOT_TOLD if value is None else round(value, 1)


def _cpu() -> dict[str, Any]:
    """Model and flags: x86 names both in /proc/cpuinfo; ARM boards name the board in the device tree."""
    fields: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        key, found, value = line.partition(":")
        if found:
            fields.setdefault(key.strip().lower(), value.strip())
    board = _first_line("/sys/firmware/devicetree/base/model").strip("\0")
    part = f"ARM part {fields['cpu part']}" if "cpu part" in fields else ""
    model = fields.get("model name") or ", ".join(filter(None, (board, part))) or platform.processor() or "unknown"
    return {"model": model, "flags": (fields.get("flags") or fields.get("features") or "").split()}


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()[0]
    except (OSError, IndexError):
        return ""


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
