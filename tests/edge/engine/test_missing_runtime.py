"""A runtime that is not installed, or stands beside a numpy that it cannot work with."""

import sys
from types import ModuleType

import pytest

from edge.engine.open import open_engine
from edge.errors import RuntimeMissingError


@pytest.fixture
def without(monkeypatch):
    """Hide modules from import, as if they had never been installed."""

    def hide(*names: str) -> None:
        for name in names:
            monkeypatch.setitem(sys.modules, name, None)

    return hide


def test_no_onnxruntime(without, models):
    without("onnxruntime")
    with pytest.raises(RuntimeMissingError, match=r"onnxruntime is not installed; pip install 'roomtone\[tv\]'"):
        open_engine("onnx", models / "heads.onnx")


def test_no_tflite_runtime_of_either_name(without, models):
    without("ai_edge_litert", "ai_edge_litert.interpreter", "tflite_runtime", "tflite_runtime.interpreter")
    with pytest.raises(RuntimeMissingError, match=r"neither .* pip install 'roomtone\[speaker\]'"):
        open_engine("litert", models / "heads.tflite")


def test_tflite_runtime_beside_numpy_2(without, models, monkeypatch):
    """tflite-runtime 2.14.0 imports beside numpy 2 and raises SystemError when the first interpreter is made."""

    class Interpreter:
        def __init__(self, **_):
            raise SystemError("<built-in method CreateWrapperFromFile> returned a result with an exception set")

    without("ai_edge_litert", "ai_edge_litert.interpreter")
    module = ModuleType("tflite_runtime.interpreter")
    module.Interpreter = Interpreter
    monkeypatch.setitem(sys.modules, "tflite_runtime", ModuleType("tflite_runtime"))
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", module)
    with pytest.raises(RuntimeMissingError, match=r"tflite-runtime.* cannot work with numpy .* 'numpy<2'"):
        open_engine("litert", models / "heads.tflite")


def test_a_runtime_that_is_there_but_broken(tmp_path, models, monkeypatch):
    package = tmp_path / "onnxruntime"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('libonnx.so: undefined symbol: nothing')")
    for name in [name for name in sys.modules if name.split(".")[0] == "onnxruntime"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(RuntimeMissingError, match="installed but cannot be loaded: libonnx"):
        open_engine("onnx", models / "heads.onnx")
