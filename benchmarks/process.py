"""Child processes, run as on a device: modules compiled once, one BLAS thread, what they used read from the kernel."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge.errors import RoomtoneError
from edge.firmware import FirmwareProfile

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Usage:
    """What one process took from start to end."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    """The largest resident set."""


WATCHER = """
import json, os, sys, time
began_s = time.perf_counter()
child = os.fork()
if child == 0:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
_, status, used = os.wait4(child, 0)
json.dump([os.waitstatus_to_exitcode(status), time.perf_counter() - began_s, used.ru_utime + used.ru_stime,
           used.ru_maxrss << 10], sys.stdout)
"""
"""A small process between this one and the measured one: the kernel counts into a child's ru_maxrss what its parent
held when it forked, and a benchmark that has loaded every peer holds a lot."""


def run_python(*arguments: str) -> Usage:
    """Run ``python ARGUMENTS`` to its end. Raises RoomtoneError with its last words when it fails."""
    done = subprocess.run([sys.executable, "-S", "-c", WATCHER, *arguments], capture_output=True, text=True,
                          check=False, env=environment())
    code, *usage = json.loads(done.stdout)
    if code:
        raise RoomtoneError(f"python {' '.join(arguments)} failed: {last_line(done.stderr)}")
    return Usage(*usage)


def json_from_python(*arguments: str, python: str | Path = sys.executable) -> Any:
    """What ``python ARGUMENTS`` prints, a JSON document. Raises RoomtoneError as run_python does.

    ``python`` may be that of another environment; it finds Roomtone's modules all the same.
    """
    done = subprocess.run([str(python), *arguments], capture_output=True, text=True, check=False, env=environment())
    if done.returncode:
        raise RoomtoneError(f"python {' '.join(arguments)} failed: {last_line(done.stderr)}")
    return json.loads(done.stdout)


def environment() -> dict[str, str]:
    """This process's, but that compiled modules are kept, as they are on a device after the first start.

    Children find this Roomtone, wherever they are run.
    """
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))}


def write_profile(profile: FirmwareProfile, path: Path) -> Path:
    """A profile as the TOML file that child processes are given."""
    table = {key: value for key, value in asdict(profile).items() if value is not None}
    sections = {key: value for key, value in table.items() if isinstance(value, dict)}
    lines = [f"{key} = {json.dumps(value)}" for key, value in table.items() if key not in sections]
    for name, section in sections.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in section.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def last_line(text: str) -> str:
    """A program's last words."""
    return (text.strip().splitlines() or ["it said nothing"])[-1]
