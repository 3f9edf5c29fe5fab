"""From the name of a runtime to a loaded model."""

from pathlib import Path

from edge.engine.base import Engine
from edge.errors import UsageError

RUNTIMES = ("litert", "onnx")


def open_engine(runtime: str, path: str | Path, *, threads: int = 1) -> Engine:
    """Load a model file. ``runtime`` is ``litert`` (a .tflite file) or ``onnx``; only that runtime is imported.

    Raises RuntimeMissingError, ModelFileError, or UsageError for another name or a number of threads below 1.
    """
    if threads < 1:
        raise UsageError(f"threads = {threads} must be at least 1")
    if runtime == "litert":
        from edge.engine.tflite import TfliteEngine

        return TfliteEngine(Path(path), threads=threads)
    if runtime == "onnx":
        from edge.engine.onnx import OnnxEngine

        return OnnxEngine(Path(path), threads=threads)
    raise UsageError(f"engine {runtime!r} is not one of {', '.join(RUNTIMES)}")
