"""``roomtone-export model``: a PyTorch model to int8 ONNX and TFLite in a bundle, with the loss measured."""

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any

from edge import firmware
from edge.bundle import KINDS
from edge.errors import UsageError

NAME = "model"
HELP = "export a PyTorch model to int8 ONNX and TFLite, or say why it would lose too much"
RANKER = "ranker"
EXAMPLE = ("roomtone-export model my_models:tagger --weights tagger.pt --kind audio --calibrate recordings/ "
           "--front 'frames = 100' --out my-bundle")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("spec", metavar="SPEC", help="package.module:factory, or a .pt2 file of torch.export.save")
    add("--kind", required=True, choices=(*KINDS, RANKER))
    add("--calibrate", type=Path, metavar="DIR",
        help="sound, pictures and films, or .npy arrays after the front end; a third of the files only judges")
    add("--out", required=True, type=Path, metavar="BUNDLE",
        help="made, or this kind of model added to it; for a ranker the catalogue that it goes into")
    add("--weights", type=Path, metavar="FILE", help="state_dict for the factory's model; tensors only, never code")
    add("--output", action="append", default=[], metavar="VIEW[:SPACE]",
        help="once per output, in the model's order; a single output is of the kind's own view")
    add("--layout", metavar="AXES",
        help="where the model runs on several: '1,1,coefficients,frames' (default: tried in turn and stated)")
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
    add("--least", action="append", default=[], metavar="FIGURE=VALUE",
        help="as cosine_min=0.95; of cosine_mean, cosine_p5, cosine_min, neighbour_agreement, top1_agreement, "
             "formats_cosine_mean")
    add("--float-layers", type=int, default=3, metavar="N",
        help="so many layers at the start may stay in float where int8 loses too much (default 3)")
    add("--classes", action="store_true", help="the output is a classifier's: its best class must agree as well")
    add("--onnx-activations", choices=("uint8", "int8"), default="uint8",
        help="inside the ONNX file, whose input and outputs are int8 either way (default: the faster uint8)")
    add("--allow-slower", action="store_true", help="even if int8 is slower than float on this machine")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.kind == RANKER:
        return _ranker(arguments)
    if arguments.calibrate is None:
        raise UsageError(f"--calibrate DIR is needed for --kind {arguments.kind}: ranges of int8 are measured there")
    from export.quantize.calibration import ArrayReader, collect, data_document
    from export.quantize.exporter import export_model
    from export.quantize.frontends import front_end, read_settings
    from export.quantize.layout import find_layout
    from export.spec import load_model, parse_outputs

    if arguments.report and arguments.report.suffix != ".html":
        raise UsageError(f"--report {arguments.report}: give a page's name, as report.html; report.json lies beside it")
    options = _options(arguments)
    front = front_end(arguments.kind, read_settings(arguments.frontend, arguments.front))
    model = load_model(arguments.spec, arguments.weights)
    network = find_layout(model, arguments.kind, front.input_shape, arguments.spec, layout=arguments.layout)
    _warn_of_guess(network)
    dimensions = network.dimensions
    named = arguments.output or ([arguments.kind] if len(dimensions) == 1 else [])
    outputs = parse_outputs(named, spec=arguments.spec, dimensions=list(dimensions))
    ready = arguments.calibrate.is_dir() and any(arguments.calibrate.rglob("*.npy"))
    split = collect(arguments.calibrate, ArrayReader(front.input_shape) if ready else front.reader)
    report = export_model(
        model, kind=arguments.kind, input_shape=front.input_shape, outputs=outputs, frontend=front.settings,
        constants=front.constants, calibration=split.calibration, validation=split.validation, out=arguments.out,
        name=arguments.name, version=arguments.version, options=options, report_page=arguments.report,
        model_name=arguments.spec)
    return {**report.document(), "data": data_document(split), "bundle": str(arguments.out)}


def _ranker(arguments: argparse.Namespace) -> dict[str, Any]:
    """A ranker is scored in float by numpy, from a file of the catalogue: there is nothing to calibrate."""
    from export.collaborative.ranker_file import latency_ms, ranker_of
    from export.collaborative.snapshot import put_ranker
    from export.spec import load_model

    ranker, difference = ranker_of(load_model(arguments.spec, arguments.weights), arguments.spec)
    put_ranker(arguments.out, ranker)
    return {"snapshot": str(arguments.out), "hidden": 0 if ranker.hidden is None else len(ranker.hidden.bias),
            "largest_difference": difference, "ms_200_candidates": latency_ms(ranker)}


def _warn_of_guess(network: Any) -> None:
    if network.other_layouts:
        print(f"roomtone-export: warning: {network.name} is taken to want {network.layout}; it also runs on "
              f"{' and '.join(network.other_layouts)}, and nothing but --layout tells which it was trained with",
              file=sys.stderr)


def _thresholds(pairs: list[str]) -> Any:
    from export.quantize.parity import Thresholds

    known, given = [field.name for field in dataclasses.fields(Thresholds)], {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        try:
            given[name] = float(text)
        except ValueError:
            raise UsageError(f"--least {pair!r}: give a figure and a number, as cosine_min=0.95") from None
        if name not in known or not 0 <= given[name] <= 1:
            raise UsageError(f"--least {pair!r}: the figures are {', '.join(known)}, each from 0 to 1")
    return Thresholds(**given)


def _options(arguments: argparse.Namespace) -> Any:
    from export.quantize.finetune import FineTuning
    from export.quantize.options import Options

    return Options(
        thresholds=_thresholds(arguments.least), layout=arguments.layout,
        most_float_prefix=arguments.float_layers, classes=arguments.classes,
        fine_tuning=FineTuning(steps=arguments.fine_tune) if arguments.fine_tune else None,
        checkpoint=arguments.checkpoint, onnx_activations=arguments.onnx_activations,
        most_latency_ratio=None if arguments.allow_slower else 1.0,
        profile=firmware.load(arguments.profile) if arguments.profile else None)
