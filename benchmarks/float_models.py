"""The float32 model that an int8 one is compared with: the same architecture, exported from PyTorch in its own process.

Its weights are untrained: they decide what comes out, not how long it takes. ``python -m benchmarks.float_models
audio OUT.onnx`` writes one.
"""

import sys
from pathlib import Path
from typing import Any

from benchmarks.process import run_python


def write_float_model(kind: str, folder: Path) -> Path:
    """An ONNX file. Raises RoomtoneError where PyTorch or its ONNX exporter (``roomtone[export]``) is missing."""
    path = folder / f"{kind}.onnx"
    run_python("-m", "benchmarks.float_models", kind, str(path))
    return path


def float_model(kind: str) -> tuple[Any, Any]:
    """A torch module in evaluation mode, and an example of its input."""
    import torch

    from export.models.audio import COEFFICIENTS, FRAMES, AudioStudent
    from export.models.video import FEATURES, EfficientNetLite0, VideoStudent

    torch.manual_seed(0)
    model: torch.nn.Module
    if kind == "audio":
        model, example = AudioStudent(), torch.zeros(1, FRAMES, COEFFICIENTS)
    else:
        model = VideoStudent(EfficientNetLite0(), torch.nn.Linear(FEATURES, 64))
        example = torch.zeros(1, 3, 224, 224)
    return model.eval(), example


def main(kind: str, path: str) -> None:
    import torch

    model, example = float_model(kind)
    torch.onnx.export(model, (example,), path, dynamo=True, external_data=False, verbose=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
