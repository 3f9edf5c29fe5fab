"""One float model to both int8 formats, with the loss measured and refused: what `roomtone-export model` runs."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram
from tqdm import tqdm

from edge.bundle import Output
from edge.engine.open import open_engine
from edge.errors import ExportError
from export.bundle import ModelFiles, write_bundle
from export.frontend import npz_bytes
from export.quantize import parity
from export.quantize.correction import correct, layer_losses
from export.quantize.folding import fold_batch_norm
from export.quantize.graph import trace
from export.quantize.onnx import to_onnx
from export.quantize.tflite import to_tflite

FORMATS = {"litert": "tflite", "onnx": "onnx"}
"""Runtime to file name suffix."""
CORRECTION_SAMPLES = 32
LEAST_CALIBRATION, LEAST_VALIDATION = 16, 16
WORST_LAYERS = 3
STEPS = ("fold", "correct", "litert", "onnx", "measure")


@dataclass(frozen=True)
class Options:
    thresholds: parity.Thresholds = field(default_factory=parity.Thresholds)
    runtimes: tuple[str, ...] = ("litert", "onnx")
    compensate: bool = True
    """Make later weights up for the rounding of earlier ones; without it they are rounded to nearest."""


@dataclass(frozen=True)
class Report:
    """What was made and what it lost."""

    kind: str
    layout: str
    sizes_bytes: dict[str, int]
    parity: dict[str, Any]

    def document(self) -> dict[str, Any]:
        return {"kind": self.kind, "layout": self.layout, "sizes_bytes": self.sizes_bytes, "parity": self.parity}


def export_model(
    model: nn.Module | ExportedProgram, *, kind: str, input_shape: tuple[int, ...], outputs: Sequence[Output],
    frontend: dict[str, Any], constants: dict[str, np.ndarray] | None, calibration: np.ndarray,
    validation: np.ndarray, out: Path, name: str, version: str, options: Options | None = None,
) -> Report:
    """Export, measure, and write (or add to) a bundle.

    Parameters
    ----------
    model
        A module in eval mode, or an exported program, from ``input_shape`` (pictures also as NCHW) to one tensor
        (1, dimension) per output.
    calibration, validation : np.ndarray [shape=(n, *input_shape[1:]), dtype=float32], n >= 16
        After the front end. Parity is measured on ``validation``, which should share no file with ``calibration``.

    Raises ExportError, with nothing written, when the model cannot be expressed or loses more than the thresholds.
    """
    options = options or Options()
    _check_inputs(calibration, validation, input_shape)
    with tqdm(STEPS, desc=f"{kind} model", unit="step", disable=None) as bar:
        network, layout = with_bundle_layout(model, kind, input_shape)
        reference = _float_outputs(network, validation, outputs)
        graph = _traced(network, calibration[:1])
        losses_on = [torch.from_numpy(row[np.newaxis]) for row in calibration[:CORRECTION_SAMPLES]]
        bar.update()
        correct(graph, losses_on, compensate=options.compensate)
        bar.update()
        files = {}
        for runtime in options.runtimes:
            files[runtime] = _converted(graph, runtime, calibration, outputs)
            bar.update()
        figures, problems = _measure(files, validation, reference, outputs, options.thresholds)
        bar.update()
    if problems:
        raise ExportError(f"the int8 {kind} model loses too much: {'; '.join(problems)}. "
                          f"{_worst_layers(network, calibration)}")
    write_bundle(out, ModelFiles(
        kind=kind, input_shape=input_shape, outputs=tuple(outputs), frontend=frontend, parity=figures,
        models={runtime: (f"{kind}.{FORMATS[runtime]}", content) for runtime, content in files.items()},
        extra={frontend["constants"]: npz_bytes(constants)} if constants else {},
    ), name=name, version=version)
    return Report(kind, layout, {FORMATS[runtime]: len(content) for runtime, content in files.items()}, figures)


class ChannelsLast(nn.Module):
    """Lets a model of NCHW pictures take NHWC ones."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Any:
        return self.model(x.permute(0, 3, 1, 2))


def with_bundle_layout(
    model: nn.Module | ExportedProgram, kind: str, input_shape: tuple[int, ...]
) -> tuple[nn.Module, str]:
    """The model as one of the bundle's layout, and the name of the layout that it had itself."""
    module = model.module() if isinstance(model, ExportedProgram) else model
    if kind != "video":
        return module, "as given"
    one, height, width, channels = input_shape
    if _runs(module, (one, channels, height, width)):
        return ChannelsLast(module), "NCHW"
    if _runs(module, input_shape):
        return module, "NHWC"
    raise ExportError(f"the video model takes neither {(one, channels, height, width)} nor {input_shape}; "
                      "name its input size")


@torch.no_grad()
def _runs(module: nn.Module, shape: tuple[int, ...]) -> bool:
    try:
        module(torch.zeros(shape))
    except (RuntimeError, ValueError, AssertionError, TypeError):
        return False
    return True


def _check_inputs(calibration: np.ndarray, validation: np.ndarray, input_shape: tuple[int, ...]) -> None:
    for name, inputs, least in (("calibration", calibration, LEAST_CALIBRATION),
                                ("validation", validation, LEAST_VALIDATION)):
        if inputs.dtype != np.float32 or inputs.shape[1:] != input_shape[1:]:
            raise ExportError(f"{name} inputs are {inputs.dtype} {inputs.shape}; "
                              f"the model takes float32 (n, {', '.join(map(str, input_shape[1:]))})")
        if len(inputs) < least:
            raise ExportError(f"{len(inputs)} {name} inputs are too few; give at least {least}")
        if not np.isfinite(inputs).all():
            raise ExportError(f"the {name} inputs hold values that are not finite")


@torch.no_grad()
def _float_outputs(network: nn.Module, inputs: np.ndarray, outputs: Sequence[Output]) -> list[np.ndarray]:
    """The model's own answers, one float32 (n, dimension) per output. Raises ExportError when they are none."""
    rows = []
    for row in inputs:
        got = network(torch.from_numpy(row[np.newaxis]))
        rows.append([got] if isinstance(got, Tensor) else list(got) if isinstance(got, tuple | list) else [])
    shapes = [tuple(value.shape) for value in rows[0] if isinstance(value, Tensor)]
    wanted = [(1, output.dimension) for output in outputs]
    if shapes != wanted:
        raise ExportError(f"the model gives {shapes or type(got).__name__}, not one embedding per output {wanted}; "
                          "let it return its embedding, or name its outputs")
    answers = [np.concatenate([row[index].numpy() for row in rows]) for index in range(len(outputs))]
    if not all(np.isfinite(answer).all() for answer in answers):
        raise ExportError("the float model gives values that are not finite; its weights may hold NaN")
    return answers


def _traced(network: nn.Module, example: np.ndarray) -> fx.GraphModule:
    try:
        graph = trace(network, torch.from_numpy(example))
    except Exception as error:  # torch.export wraps whatever its many passes raise
        said = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        raise ExportError(f"{type(network).__name__} has no fixed graph of operations, perhaps because it branches on "
                          f"the values of its input: {said[0]:.300}") from error
    fold_batch_norm(graph)
    return graph


def _converted(graph: fx.GraphModule, runtime: str, calibration: np.ndarray, outputs: Sequence[Output]) -> bytes:
    if runtime == "litert":
        return to_tflite(graph, calibration)
    return to_onnx(graph, calibration, [output.view for output in outputs])


def _measure(
    files: dict[str, bytes], validation: np.ndarray, reference: list[np.ndarray], outputs: Sequence[Output],
    thresholds: parity.Thresholds,
) -> tuple[dict[str, Any], list[str]]:
    """Figures for the manifest, and what is below the thresholds."""
    views = [output.view for output in outputs]
    measured = {runtime: _embedded(runtime, content, validation) for runtime, content in files.items()}
    figures: dict[str, Any] = {"inputs": len(validation), "formats": parity.between_formats(measured, views)}
    problems = [f"{view}: the formats' mean cosine {found['cosine_mean']:.4f} is below {thresholds.formats_cosine_mean}"
                for view, found in figures["formats"].items()
                if found["cosine_mean"] < thresholds.formats_cosine_mean]
    for runtime, embedded in measured.items():
        compared = [parity.compare(a, b) for a, b in zip(reference, embedded, strict=True)]
        figures[runtime] = {view: found.document() for view, found in zip(views, compared, strict=True)}
        for view, found in zip(views, compared, strict=True):
            problems += parity.failures(f"{view} in {runtime}", found, thresholds)
    return figures, problems


def _embedded(runtime: str, content: bytes, inputs: np.ndarray) -> list[np.ndarray]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model.{FORMATS[runtime]}"
        path.write_bytes(content)
        with open_engine(runtime, path) as engine:
            return parity.embed_all(engine, inputs)


def _worst_layers(network: nn.Module, calibration: np.ndarray) -> str:
    samples = [torch.from_numpy(row[np.newaxis]) for row in calibration[:8]]
    worst = layer_losses(_traced(network, calibration[:1]), samples)[:WORST_LAYERS]
    named = ", ".join(f"{loss.layer} ({loss.snr_db:.1f} dB)" for loss in worst)
    return f"The layers that lose most: {named}"
