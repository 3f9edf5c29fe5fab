"""The environments that peers need of their own, and ``python -m benchmarks peers``, which lists and makes them."""

import argparse
import json
import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from benchmarks.process import last_line
from benchmarks.report import Row, table
from edge.errors import RoomtoneError

VARIABLE = "ROOMTONE_PEERS"
OWN = {
    "tflite-runtime": ("tflite-runtime==2.14.0", "numpy<2"),
    # openWakeWord fetches its models from a release page; pyopen-wakeword carries the same ones in its wheel.
    "openwakeword": ("openwakeword==0.6.0", "pyopen-wakeword==1.1.0", "numpy<2"),
    "pyopen-wakeword": ("pyopen-wakeword==1.1.0",),
    "pymicro-wakeword": ("pymicro-wakeword==2.5.0",),
}
"""What cannot share Roomtone's environment, or whose memory would not be its own there."""
HERE = ("kaldi-native-fbank", "python-speech-features", "librosa", "onnxruntime", "torch", "faiss-cpu", "usearch",
        "hnswlib", "sqlite-vec", "implicit")
"""What is measured in this process, or with this interpreter."""


def folder() -> Path:
    return Path(os.environ.get(VARIABLE, "~/.cache/roomtone/peers")).expanduser()


def python_of(name: str) -> Path:
    """The interpreter of a peer's environment. Raises RoomtoneError when it was not made."""
    python = folder() / name / "bin" / "python"
    if not python.exists():
        raise RoomtoneError(f"{name} is not installed: python -m benchmarks peers --install")
    return python


def install(name: str) -> None:
    """Make a peer's environment, or complete it. Fetches packages. Raises RoomtoneError with pip's last words."""
    home = folder() / name
    if not (home / "bin" / "python").exists():
        venv.create(home, with_pip=True, symlinks=True)
    done = subprocess.run([home / "bin" / "python", "-m", "pip", "install", "--quiet", *OWN[name]],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise RoomtoneError(f"{name}: {last_line(done.stderr)}")


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks peers", description=f"List the libraries that --peers measures; make the "
        f"environments of those that need their own, in {folder()} (or ${VARIABLE}).",
        epilog="example: python -m benchmarks peers --install")
    parser.add_argument("--install", action="store_true", help="fetch what is missing with pip (asks the network)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    args = parser.parse_args(argv)
    failed = False
    for name in OWN if args.install else ():
        print(f"{name}: pip install {' '.join(OWN[name])}", file=sys.stderr, flush=True)
        try:
            install(name)
        except RoomtoneError as error:
            print(f"benchmarks: {error}", file=sys.stderr)
            failed = True
    versions = {name: _here(name) for name in HERE} | {name: _own(name) for name in OWN}
    print(json.dumps(versions, indent=1) if args.json else _listed(versions))
    return 1 if failed else 0


def _listed(versions: dict[str, str | None]) -> str:
    return table([Row(name, {"version": version or "not installed"}, note="" if version else _how(name))
                  for name, version in versions.items()])


def _how(name: str) -> str:
    return "python -m benchmarks peers --install" if name in OWN else "pip install 'roomtone[bench]'"


def _here(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _own(name: str) -> str | None:
    """The version in the peer's own environment."""
    places = (folder() / name / "lib").glob("python*/site-packages")
    return next((found.version for found in metadata.distributions(path=list(map(str, places)))
                 if found.name.lower().replace("_", "-") == name), None)
