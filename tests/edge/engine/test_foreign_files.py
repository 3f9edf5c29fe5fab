"""Files that are no int8 model of this runtime: each is refused with one sentence that names it."""

import random
import subprocess
import sys

import pytest

from edge.engine.open import open_engine
from edge.errors import ModelFileError

DAMAGE = """
import sys
from pathlib import Path
import numpy as np
from edge.engine.open import open_engine
from edge.errors import EngineError
for path in sorted(Path(sys.argv[2]).iterdir()):
    try:
        with open_engine(sys.argv[1], path) as engine:
            engine.run(np.zeros(engine.input.shape, np.int8))
    except EngineError:
        pass
print("survived")
"""


@pytest.mark.parametrize("content", [b"\0" * 3, b"not a model at all" * 10, b"\x08", b"PK\x03\x04" * 50])
def test_foreign_bytes_are_refused(runtime, tmp_path, content):
    path = tmp_path / "model"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=f"{path}: "):
        open_engine(runtime, path)


def test_an_empty_file_is_refused(runtime, tmp_path):
    path = tmp_path / "model"
    path.touch()
    with pytest.raises(ModelFileError, match="is empty"):
        open_engine(runtime, path)


def test_a_missing_file_and_a_folder_are_refused(runtime, tmp_path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(ModelFileError, match=f"{path}: cannot be read: "):
            open_engine(runtime, path)


def test_the_other_formats_file_names_the_engine_to_use(runtime, models):
    other, engine = {"litert": ("heads.onnx", "onnx"), "onnx": ("heads.tflite", "litert")}[runtime]
    with pytest.raises(ModelFileError, match=rf"{other}: .*use the {engine} engine"):
        open_engine(runtime, models / other)


def test_a_float_model_is_refused(runtime, models):
    name = {"litert": "float.tflite", "onnx": "float.onnx"}[runtime]
    with pytest.raises(ModelFileError, match=rf"{name}: x is float32, not int8; export"):
        open_engine(runtime, models / name)


@pytest.mark.parametrize("share", [0.004, 0.05, 0.3, 0.6, 0.9, 0.999])
def test_a_truncated_file_is_refused(runtime, heads, tmp_path, share):
    content = heads.read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelFileError, match="truncated"):
        open_engine(runtime, path)


def test_damage_never_kills_the_process(runtime, heads, tmp_path):
    """Bits flipped and ends cut off, opened and run in a process that must live to the end."""
    content, rng = heads.read_bytes(), random.Random(12)
    for number in range(150):
        damaged = bytearray(content)
        for _ in range(rng.choice([1, 1, 4])):
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        if number % 4 == 0:
            del damaged[rng.randrange(len(damaged)) :]
        (tmp_path / f"{number:03d}").write_bytes(damaged or b"\0")
    survives(runtime, tmp_path)


def test_no_number_that_became_minus_one_kills_the_process(runtime, heads, tmp_path):
    """In a list of tensors it says that one is left out, which runtimes follow where a kernel needs it."""
    content = heads.read_bytes()
    for start in range(0, len(content) - 3, 4):
        (tmp_path / f"{start:05d}").write_bytes(content[:start] + b"\xff" * 4 + content[start + 4 :])
    survives(runtime, tmp_path)


def survives(runtime, folder):
    done = subprocess.run([sys.executable, "-c", DAMAGE, runtime, str(folder)], capture_output=True, text=True,
                          timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "survived\n"), done.stderr[-2000:]
