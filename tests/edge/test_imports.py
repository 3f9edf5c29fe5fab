"""Every module of the device imports, on this Python and this numpy, with what is installed here.

In a process of its own: test tools import parts of numpy that a device does not.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
           for path in sorted((ROOT / "edge").rglob("*.py"))]
PROGRAM = """
import importlib, sys, traceback
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        # The daemon needs a server at once; the environment that tests tflite-runtime does without.
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn", "anyio"):
            raise
"""


def test_every_module_imports():
    command = [sys.executable, "-c", PROGRAM, *MODULES]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
