"""``roomtone-export model``: a PyTorch model to int8 ONNX and TFLite in a bundle, with the loss measured."""

import argparse
from pathlib import Path
from typing import Any

from edge import firmware
from edge.bundle import KINDS
from edge.errors import UsageError

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
        help="once per output, in the model's order; a single output is of the kind's own view")
    add("--frontend", type=Path, metavar="TOML", help="settings of the front end")
    add("--front", action="append", default=[], metavar="KEY=VALUE", help="one setting, as 'frames = 100'")
    add("--profile", metavar="NAME", help=f"refuse what does not fit: {', '.join(firmware.names())}, or a TOML file")
    add("--name", default="custom", help="the bundle's name")
    add("--version", default="1", help="the bundle's version")
    add("--fine-tune", type=int, default=0, metavar="STEPS", help="train the model to lose less by being int8")
    add("--checkpoint", type=Path, metavar="FILE", help="take a fine-tuning that was stopped up again")
    add("--report", type=Path, metavar="FILE.html", help="write a page, and the same as FILE.json")
    _add_choices(parser.add_argument_group("what is refused"))


def _add_choices(group: Any) -> None:
    add = group.add_argument
    add("--least-cosine", type=float, metavar="MEAN", help="least mean cosine to the float model (default 0.99)")
    add("--float-layers", type=int, default=3, metavar="N",
        help="so many layers at the start may stay in float where int8 loses too much (default 3)")
    add("--classes", action="store_true", help="the output is a classifier's: its best class must agree as well")
    add("--onnx-activations", choices=("uint8", "int8"), default="uint8",
        help="inside the ONNX file, whose input and outputs are int8 either way (default: the faster uint8)")
    add("--allow-slower", action="store_true", help="even if int8 is slower than float on this machine")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    from export.quantize.calibration import ArrayReader, collect, data_document
    from export.quantize.exporter import export_model
    from export.quantize.frontends import front_end, read_settings
    from export.quantize.layout import find_layout
    from export.spec import load_model, parse_outputs

    options = _options(arguments)
    front = front_end(arguments.kind, read_settings(arguments.frontend, arguments.front))
    model = load_model(arguments.spec, arguments.weights)
    dimensions = find_layout(model, arguments.kind, front.input_shape, arguments.spec).dimensions
    named = arguments.output or ([arguments.kind] if len(dimensions) == 1 else [])
    outputs = parse_outputs(named, spec=arguments.spec, dimensions=list(dimensions))
    ready = arguments.calibrate.is_dir() and any(arguments.calibrate.rglob("*.npy"))
    split = collect(arguments.calibrate, ArrayReader(front.input_shape) if ready else front.reader)
    report = export_model(
        model, kind=arguments.kind, input_shape=front.input_shape, outputs=outputs, frontend=front.settings,
        constants=front.constants, calibration=split.calibration, validation=split.validation, out=arguments.out,
        name=arguments.name, version=arguments.version, options=options, report_page=arguments.report)
    return {**report.document(), "data": data_document(split), "bundle": str(arguments.out)}


def _options(arguments: argparse.Namespace) -> Any:
    from export.quantize.finetune import FineTuning
    from export.quantize.options import Options
    from export.quantize.parity import Thresholds

    least = Thresholds() if arguments.least_cosine is None else Thresholds(cosine_mean=arguments.least_cosine)
    if not 0 < least.cosine_mean <= 1:
        raise UsageError(f"--least-cosine {least.cosine_mean} must lie above 0 and at most at 1")
    return Options(
        thresholds=least, most_float_prefix=arguments.float_layers, classes=arguments.classes,
        fine_tuning=FineTuning(steps=arguments.fine_tune) if arguments.fine_tune else None,
        checkpoint=arguments.checkpoint, onnx_activations=arguments.onnx_activations,
        most_latency_ratio=None if arguments.allow_slower else 1.0,
        profile=firmware.load(arguments.profile) if arguments.profile else None)
