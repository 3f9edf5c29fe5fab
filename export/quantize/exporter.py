"""One float model to both int8 formats, with the loss measured and refused: what `roomtone-export model` runs."""

import contextlib
import math
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.export import ExportedProgram
from tqdm import tqdm

from edge.bundle import Output
from edge.errors import BudgetError, ExportError
from export.bundle import ModelFiles, write_bundle
from export.frontend import npz_bytes
from export.quantize import latency
from export.quantize.conversion import Converted, convert, corrected, float_answers, folded_graph, samples_of
from export.quantize.fit import Fit, fit, peak_activation_bytes
from export.quantize.graph import layers
from export.quantize.layout import Network, find_layout
from export.quantize.losses import LayerLoss, layer_losses, worst
from export.quantize.options import FORMATS, Options
from export.quantize.parity import judge
from export.quantize.report import Report
from export.quantize.report_page import write_report

LEAST_CALIBRATION, LEAST_VALIDATION = 16, 16
LOSS_SAMPLES = 8
WORST_LAYERS = 3
NEGLIGIBLE_MS = 0.05
"""A model that takes less is never refused as slow: the call costs more than the arithmetic, in either type."""


def export_model(
    model: nn.Module | ExportedProgram, *, kind: str, input_shape: tuple[int, ...], outputs: Sequence[Output],
    frontend: dict[str, Any], constants: dict[str, np.ndarray] | None, calibration: np.ndarray,
    validation: np.ndarray, out: Path, name: str, version: str, options: Options | None = None,
    report_page: Path | None = None, model_name: str | None = None,
) -> Report:
    """Export, measure, and write (or add to) a bundle.

    Parameters
    ----------
    model
        A module in eval mode, or an exported program, to one tensor (1, dimension) per output. It may take any
        layout that layout.py tries.
    input_shape, outputs, frontend
        As the manifest has them, see edge/bundle.py. A ``limit`` in the front end bounds the inputs to -limit to
        limit: the int8 input saturates there on the device, and outliers no longer widen its grid.
    constants
        Arrays of the file that ``frontend["constants"]`` names.
    calibration, validation : np.ndarray [shape=(n, *input_shape[1:]), dtype=float32], n >= 16
        After the front end. Parity is measured on ``validation``, which should share no file with ``calibration``.
    report_page
        Written also when the model is then refused: an HTML page, and the same as JSON.
    model_name
        What messages, report and card call the model; by default its type.

    Raises ExportError, with nothing written, when the model cannot be expressed or loses more than the thresholds,
    BudgetError when it does not fit the profile. The same inputs give the same files.
    """
    options = options or Options()
    _check_inputs(calibration, validation, input_shape)
    calibration, validation = (_limited(inputs, frontend) for inputs in (calibration, validation))
    with _calmly():
        network = find_layout(model, kind, input_shape, model_name, layout=options.layout)
        _check_outputs(network, outputs)
        report, converted = _made(network, kind, outputs, calibration, validation, options)
    if report_page is not None:
        write_report(report, report_page)
    _refuse(report, options)
    write_bundle(out, ModelFiles(
        kind=kind, input_shape=input_shape, outputs=tuple(outputs), frontend=frontend, parity=report.parity,
        models={runtime: (f"{kind}.{FORMATS[runtime]}", model.int8) for runtime, model in converted.items()},
        extra=({frontend["constants"]: npz_bytes(constants)} if constants else {})
        | {f"{kind}_card.md": report.card(outputs, input_shape, frontend).encode()},
    ), name=name, version=version)
    return report


def _made(
    network: Network, kind: str, outputs: Sequence[Output], calibration: np.ndarray, validation: np.ndarray,
    options: Options,
) -> tuple[Report, dict[str, Converted]]:
    """Correct, convert and measure; nothing is judged or written yet."""
    with tqdm(total=len(options.runtimes) + 2, desc=f"{kind} model", unit="step", disable=None) as bar:
        graph, float_prefix = corrected(network, calibration, options)
        bar.update()
        converted = {}
        for runtime in options.runtimes:
            converted[runtime] = convert(runtime, graph, calibration, outputs, float_prefix, options)
            bar.update()
        verdict = judge({runtime: model.int8 for runtime, model in converted.items()}, validation,
                        float_answers(network, validation), [output.view for output in outputs], options.thresholds,
                        classes=options.classes,
                        exclusive={output.view for output in outputs if output.exclusive})
        report = Report(
            kind=kind, model=network.name, layout=network.layout,
            other_layouts=network.other_layouts, parity=verdict.figures,
            problems=tuple(verdict.problems), calibration_inputs=len(calibration),
            float_layers=tuple(layer.name for layer in layers(graph)[:float_prefix]),
            sizes_bytes={FORMATS[runtime]: len(model.int8) for runtime, model in converted.items()},
            float_operations={runtime: model.float_operations for runtime, model in converted.items()},
            latency={runtime: latency.compare_ms(runtime, model.int8, model.real, calibration[:1])
                     for runtime, model in converted.items()},
            layers=tuple(_losses(network, calibration)), fit=_fit(converted, peak_activation_bytes(graph), options),
        )
        bar.update()
    return report, converted


def _losses(network: Network, calibration: np.ndarray) -> list[LayerLoss]:
    return layer_losses(folded_graph(network, calibration[:1]), samples_of(calibration, LOSS_SAMPLES))


def _fit(converted: dict[str, Converted], arena_bytes: int, options: Options) -> Fit | None:
    if options.profile is None:
        return None
    runtime = options.profile.engine.runtime
    if runtime not in converted:
        raise ExportError(f"the profile {options.profile.name} runs {runtime}, which is not among the formats made")
    return fit(options.profile, file_bytes=len(converted[runtime].int8), arena_bytes=arena_bytes)


def _refuse(report: Report, options: Options) -> None:
    """Raises ExportError or BudgetError for a model that no device should get."""
    if report.problems:
        costly = worst(list(report.layers), WORST_LAYERS)
        named = ", ".join(f"{loss.layer} ({loss.own_snr_db:.1f} dB)" for loss in costly)
        raise ExportError(f"the int8 {report.kind} model loses too much: {'; '.join(report.problems)}; the layers that "
                          f"lose most are {named}")
    if report.fit and not report.fit.fits:
        raise BudgetError(report.fit.sentence())
    for runtime, times in report.latency.items():
        slow = times["int8_ms"] > NEGLIGIBLE_MS and times["ratio"] > (options.most_latency_ratio or math.inf)
        if slow:
            raise ExportError(f"the int8 model takes {times['ratio']:.2f} of the float model's time in {runtime} "
                              f"({times['int8_ms']} ms), more than {options.most_latency_ratio}; allow it with "
                              "--allow-slower, or leave the model in float")


@contextlib.contextmanager
def _calmly() -> Iterator[None]:
    """Without torch's warnings, on one thread: small convolutions are slower on more, many times on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        torch.set_num_threads(before)


def _check_inputs(calibration: np.ndarray, validation: np.ndarray, input_shape: tuple[int, ...]) -> None:
    for name, inputs, least in (("calibration", calibration, LEAST_CALIBRATION),
                                ("validation", validation, LEAST_VALIDATION)):
        if inputs.dtype != np.float32 or inputs.shape[1:] != input_shape[1:]:
            raise ExportError(f"{name} inputs are {inputs.dtype} {inputs.shape}; "
                              f"the model takes float32 (n, {', '.join(map(str, input_shape[1:]))})")
        if len(inputs) < least:
            raise ExportError(f"{len(inputs)} {name} inputs are too few; give at least {least}, from more files")
        if not np.isfinite(inputs).all():
            raise ExportError(f"the {name} inputs hold values that are not finite")


def _limited(inputs: np.ndarray, frontend: dict[str, Any]) -> np.ndarray:
    limit = frontend.get("limit")
    return inputs if limit is None else np.clip(inputs, -limit, limit)


def _check_outputs(network: Network, outputs: Sequence[Output]) -> None:
    wanted = tuple(output.dimension for output in outputs)
    if network.dimensions != wanted:
        raise ExportError(f"{network.name} gives outputs of {network.dimensions} values, the bundle names {wanted}")
