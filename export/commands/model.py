"""``roomtone-export model``: a PyTorch model to int8 ONNX and TFLite in a bundle, with the loss measured."""

import argparse
from pathlib import Path
from typing import Any

from edge import firmware
from edge.bundle import KINDS

NAME = "model"
HELP = "export a PyTorch model to int8 ONNX and TFLite, or say why it would lose too much"
EXAMPLE = ("roomtone-export model my_models:tagger --weights tagger.pt --kind audio --calibrate recordings/ "
           "--front 'frames = 100' --out my-bundle")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("spec", metavar="SPEC", help="package.module:factory, or a .pt2 file of torch.export.save")
    add("--kind", required=True, choices=KINDS)
    add("--calibrate", required=True, type=Path, metavar="DIR",
        help="sound, pictures and films, or .npy arrays after the front end; a third of the files only judges")
    add("--out", required=True, type=Path, metavar="BUNDLE", help="made, or this kind of model added to it")
    add("--weights", type=Path, metavar="FILE", help="state_dict for the factory's model; tensors only, never code")
    add("--output", action="append", default=[], metavar="VIEW[:SPACE]",
        help="once per output, in the model's order; one output is by default of the kind's own view")
    add("--frontend", type=Path, metavar="TOML", help="settings of the front end")
    add("--front", action="append", default=[], metavar="KEY=VALUE", help="one setting, as 'frames = 100'")
    add("--profile", metavar="NAME", help=f"refuse what does not fit: {', '.join(firmware.names())}, or a TOML file")
    add("--name", default="custom", help="the bundle's name")
    add("--version", default="1", help="the bundle's version")
    add("--least-cosine", type=float, metavar="MEAN", help="least mean cosine to the float model (default 0.99)")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    from export.quantize.calibration import settings_document
    from export.quantize.session import prepare

    job = prepare(arguments)
    return {**job.export().document(), "data": settings_document(job.split), "bundle": str(arguments.out)}
