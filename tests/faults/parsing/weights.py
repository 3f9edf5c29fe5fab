"""What the workstation takes in: weights, programs, checkpoints, ready inputs, pictures."""

from pathlib import Path

import numpy as np

from tests.faults.parsing.parser import Opened, Parser, file_of

FEATURES = 6


def _model():
    """Small, of a convolution, a normalisation and a linear layer: floats, and a counter of whole numbers."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2 * 4 * 4, 3)).eval()


def _weights(folder: Path) -> Opened:
    """Pickled and safetensors, into the model that they are of."""
    import torch
    from safetensors.torch import save

    from export.checkpoint import read_state

    model = _model()
    torch.save(model.state_dict(), folder / "seed.pt")
    seeds = [("a.pt", (folder / "seed.pt").read_bytes()), ("a.safetensors", save(model.state_dict()))]

    def parse(key: str, content: bytes) -> None:
        (folder / key).write_bytes(content)
        read_state(folder / key, into=model)

    return seeds, parse


def _program(folder: Path) -> Opened:
    import torch

    from export.spec import load_program

    torch.export.save(torch.export.export(_model(), (torch.zeros(1, 1, 6, 6),)), folder / "seed.pt2")
    return [("", (folder / "seed.pt2").read_bytes())], file_of(folder, "a.pt2", load_program)


def _checkpoint(folder: Path) -> Opened:
    """A TensorFlow 1 checkpoint; the index is what is altered."""
    from export.teachers.tf_checkpoint import read_variables
    from tests.export.teachers.checkpoints import write

    write(folder, {"dense/kernel": np.arange(12, dtype=np.float32).reshape(3, 4), "bias": np.ones(4, np.float32)})
    return [("", (folder / ".index").read_bytes())], file_of(folder, ".index", lambda path: read_variables(path.parent))


def _projection(folder: Path) -> Opened:
    from export.teachers.projection import Projection

    ones = np.ones(FEATURES, np.float32)
    Projection("teacher", ones, ones, np.eye(FEATURES, 4, dtype=np.float32)).save(folder / "seed.npz")
    return [("", (folder / "seed.npz").read_bytes())], file_of(folder, "a.npz", Projection.load)


def _ready(folder: Path) -> Opened:
    from export.quantize.calibration import ArrayReader

    np.save(folder / "seed.npy", np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4))
    seed = (folder / "seed.npy").read_bytes()
    return [("", seed)], file_of(folder, "a.npy", ArrayReader((1, 3, 4)).read)


def _picture(folder: Path) -> Opened:
    from edge.video.opencv import opencv
    from export.quantize.readers import PictureReader

    cv2 = opencv()
    reader = PictureReader((1, 16, 16, 3), mean=[127.0] * 3, std=[128.0] * 3)
    image = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    seeds = [(f"a.{kind}", cv2.imencode(f".{kind}", image)[1].tobytes()) for kind in ("png", "jpg", "webp", "bmp")]

    def parse(key: str, content: bytes) -> None:
        (folder / key).write_bytes(content)
        reader.read(folder / key)

    return seeds, parse


PARSERS = (
    Parser("weights", 8, _weights), Parser("program", 1, _program), Parser("checkpoint", 8, _checkpoint),
    Parser("projection", 8, _projection), Parser("ready", 8, _ready), Parser("picture", 8, _picture),
)
