"""The float32 model that an int8 one is compared with: the same architecture, exported from PyTorch in its own process.

Its weights are untrained: they decide what comes out, not how long it takes. ``python -m benchmarks.float_models
audio OUT.onnx`` writes one.
"""

import subprocess
import sys
from pathlib import Path


def write_float_model(kind: str, folder: Path) -> Path | None:
    """An ONNX file, or None where PyTorch and its ONNX exporter (``roomtone[export]``) are not installed."""
    path = folder / f"{kind}.onnx"
    command = [sys.executable, "-m", "benchmarks.float_models", kind, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return path if done.returncode == 0 else None


def main(kind: str, path: str) -> None:
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
    torch.onnx.export(model.eval(), (example,), path, dynamo=True, external_data=False, verbose=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
