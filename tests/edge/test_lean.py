"""The device stays lean: nothing of the workstation is loaded, nothing heavy before it is used, no network."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.demo import clips

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "edge").rglob("*.py"))
MODULES = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in SOURCES]
UPDATING = {f"edge.update.{name}" for name in ("install", "repository", "stage")}
"""What `roomtone update` alone imports, with python-tuf."""
WORKSTATION = {"torch", "scipy", "onnx", "librosa", "python_speech_features", "export", "litert_torch", "implicit",
               "tqdm", "mutagen", "pandas", "sklearn", "cryptography", "pytest", "faiss"}
"""What a device never loads."""
LAZY = {"cv2", "av", "soundfile", "soxr", "sounddevice", "onnxruntime", "ai_edge_litert", "tflite_runtime",
        "tuf", "securesystemslib"}
"""What a device loads when it first needs it."""

WATCH = """
import json, sys
network = []
def watch(event, args):
    if event in ("socket.connect", "socket.bind", "socket.sendto") and not isinstance(args[1], (str, bytes)):
        network.append([event, repr(args[1])])
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "urllib.Request"):
        network.append([event, repr(args)])
sys.addaudithook(watch)
def report():
    loaded = sorted({name.partition(".")[0] for name in list(sys.modules)})
    print(json.dumps({"loaded": loaded, "network": network}), file=sys.__stdout__, flush=True)
"""
IMPORT_ALL = WATCH + """
sockets = []
sys.addaudithook(lambda event, args: sockets.append(event) if event.startswith("socket.") else None)
import importlib
for name in sys.argv[1:]:
    importlib.import_module(name)
network += sockets
report()
"""
COMMAND = WATCH + """
import contextlib, io
from edge.cli import main
with contextlib.redirect_stdout(io.StringIO()):
    code = main(sys.argv[1:])
assert code == 0, code
report()
"""
DAEMON = WATCH + """
import contextlib, http.client, io, os, signal, socket, threading, time
from edge.cli import main
path = sys.argv[1]
def get(route):
    connection = http.client.HTTPConnection("localhost", timeout=20)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(path)
    connection.request("GET", route)
    return json.loads(connection.getresponse().read())
def use():
    try:
        until = time.monotonic() + 40
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                if get("/v1/status")["audio"]["embeddings"]:
                    get("/v1/recommendations?k=3")
                    report()
                    break
            time.sleep(0.05)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=use).start()
with contextlib.redirect_stdout(io.StringIO()):
    code = main(["daemon", "--listen", f"unix:{path}", *sys.argv[2:]])
assert code == 0, code
"""


def run(program: str, *arguments: str) -> dict:
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=120,
                          cwd=ROOT, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def sound() -> str:
    return str(next(clip for clip in clips() if clip.suffix == ".ogg"))


def film() -> str:
    return str(next(clip for clip in clips() if clip.suffix == ".mp4"))


def test_importing_every_module_loads_nothing_heavy_and_opens_no_socket():
    seen = run(IMPORT_ALL, *(module for module in MODULES if module not in UPDATING))
    assert not set(seen["loaded"]) & (WORKSTATION | LAZY)
    assert seen["network"] == []


def test_importing_edge_loads_not_even_numpy():
    assert "numpy" not in run(IMPORT_ALL, "edge")["loaded"]


HELP = WATCH + """
import contextlib, io
from edge.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(sys.argv[1:])
report()
"""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["daemon", "--help"], ["update", "--help"]])
def test_asking_for_help_loads_not_even_numpy(arguments):
    seen = run(HELP, *arguments)
    assert "numpy" not in seen["loaded"]
    assert seen["network"] == []


@pytest.mark.parametrize("engine", ["litert", "onnx"])
def test_recommending_loads_nothing_of_the_workstation_and_touches_no_network(engine, tmp_path):
    seen = run(COMMAND, "recommend", sound(), film(), "--engine", engine, "--state", str(tmp_path), "--json")
    assert not set(seen["loaded"]) & WORKSTATION
    assert seen["network"] == []
    other = {"litert": {"onnxruntime"}, "onnx": {"ai_edge_litert", "tflite_runtime"}}[engine]
    assert not set(seen["loaded"]) & other


def test_a_speakers_daemon_loads_no_pictures_and_a_unix_socket_is_all_its_network(tmp_path):
    seen = run(DAEMON, str(tmp_path / "socket"), "--profile", "rpi-zero-2w-speaker", "--audio", f"file:{sound()}",
               "--video", "none", "--state", str(tmp_path))
    assert not set(seen["loaded"]) & (WORKSTATION | {"cv2", "av", "onnxruntime", "tuf"})
    assert seen["network"] == []


def test_a_tvs_daemon_loads_nothing_of_the_workstation(tmp_path):
    seen = run(DAEMON, str(tmp_path / "socket"), "--profile", "rpi-4-tv", "--audio", f"file:{film()}",
               "--video", f"file:{film()}", "--state", str(tmp_path))
    assert not set(seen["loaded"]) & WORKSTATION
    assert seen["network"] == []


@pytest.mark.parametrize("path", SOURCES, ids=MODULES)
def test_no_source_names_a_module_of_the_workstation(path):
    """Imports inside functions as well, which none of the runs above may have come by."""
    named = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            named |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            named.add((node.module or "").partition(".")[0])
    assert not named & WORKSTATION
