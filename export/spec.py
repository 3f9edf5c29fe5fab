"""From what an engineer names on the command line to her model: ``package.module:factory`` or a ``.pt2`` file.

A factory is her own code and is run. A ``.pt2`` file may come from anywhere: torch would unpickle parts of it, so
only files without code in them are opened (see :func:`_refuse_code`).
"""

import importlib
import io
import json
import re
import sys
import zipfile
from pathlib import Path

import torch
from torch import nn
from torch.export import ExportedProgram

from edge.bundle import Output
from edge.errors import ExportError, UsageError
from export.checkpoint import read_state
from export.damage import DAMAGED

_TENSOR_FILES = re.compile(
    r"[^/]+/(data/weights/(weight_\d+|model_weights_config\.json)|data/constants/(tensor_\d+|model_constants_config\.json)"
    r"|data/sample_inputs/model\.pt|models/model\.json|archive_format|archive_version|byteorder|\.data/[^/]+)")
"""What torch.export.save writes for a program of plain tensors."""


def load_model(spec: str, weights: Path | None = None) -> nn.Module | ExportedProgram:
    """The model that ``spec`` names, in eval mode, with ``weights`` (a state_dict, tensors only) loaded into it.

    Raises UsageError for a spec of another form, ExportError when the model cannot be made or its weights are not
    finite.
    """
    if spec.endswith(".pt2"):
        if weights is not None:
            raise UsageError(f"{spec} has its weights in it; leave --weights out")
        program = load_program(Path(spec))
        _require_finite(program.state_dict, spec)
        return program
    model = _made(spec)
    if weights is not None:
        read_state(weights, into=model)
    _require_finite(model.state_dict(), spec)
    return model.eval()


def _made(spec: str) -> nn.Module:
    module_name, colon, factory_name = spec.partition(":")
    if not (module_name and colon and factory_name):
        raise UsageError(f"{spec!r} names no model; give package.module:factory, or a .pt2 file")
    if "" not in sys.path:
        sys.path.insert(0, "")  # as `python -m` does: her module lies where she works
    try:
        factory = getattr(importlib.import_module(module_name), factory_name)
    except (ImportError, AttributeError) as error:
        raise ExportError(f"{spec}: {error}") from error
    try:
        model = factory()
    except Exception as error:  # her code may raise anything
        raise ExportError(f"{spec}: the factory raised {type(error).__name__}: {error}") from error
    if not isinstance(model, nn.Module):
        raise ExportError(f"{spec} gave {type(model).__name__}, not a torch.nn.Module")
    return model


def load_program(path: Path) -> ExportedProgram:
    """Open a program that torch.export.save wrote, if there is no code in it. Raises ExportError."""
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_code(archive, path)
    except OSError as error:
        raise ExportError(f"{path}: cannot be read: {error.strerror or error}") from error
    except DAMAGED as error:
        raise ExportError(f"{path}: not a program that torch.export.save wrote: {str(error)[:120]}") from error
    try:
        return torch.export.load(path)
    except Exception as error:  # torch raises whatever a damaged archive leads it to
        raise ExportError(f"{path}: torch cannot load it: {type(error).__name__}: {str(error)[:200]}") from error


def _refuse_code(archive: zipfile.ZipFile, path: Path) -> None:
    """Only plain tensors and a graph of fixed shapes: torch would run what a pickle or a symbolic shape says."""
    names = archive.namelist()
    unknown = [name for name in names if not _TENSOR_FILES.fullmatch(name)]
    if unknown or len(set(names)) != len(names):
        raise ExportError(f"{path}: holds {(unknown or names)[0]!r}, which may be code; save the program of a model "
                          "of plain tensors with torch.export.save")
    for name in names:
        if name.endswith("_config.json") and any(
                entry.get("use_pickle") for entry in json.loads(archive.read(name))["config"].values()):
            raise ExportError(f"{path}: {name} asks for a pickle, which may be code; save plain dense tensors")
        if name.endswith("models/model.json") and b'"expr_str"' in archive.read(name):
            raise ExportError(f"{path}: has shapes that are not fixed; export it without dynamic_shapes")
        if name.endswith(".pt"):
            _refuse_pickled_code(archive.read(name), f"{path}: {name}")


def _refuse_pickled_code(content: bytes, where: str) -> None:
    try:
        torch.load(io.BytesIO(content), weights_only=True)
    except Exception as error:  # the unpickler raises whatever damaged bytes lead it to
        raise ExportError(f"{where} is a pickle that is not tensors alone, and is not run") from error


def _require_finite(state: dict[str, torch.Tensor], spec: str) -> None:
    for name, value in state.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise ExportError(f"{spec}: the weight {name!r} holds NaN or infinity; train again or load another file")


def parse_outputs(texts: list[str], *, spec: str, dimensions: list[int]) -> list[Output]:
    """``VIEW`` or ``VIEW:SPACE`` per output of the model, in its order; a space defaults to the model's own name.

    Raises UsageError when their number is not the model's.
    """
    if len(texts) != len(dimensions):
        raise UsageError(f"{spec} gives {len(dimensions)} outputs and {len(texts)} are named; give --output "
                         "VIEW[:SPACE] once per output, in the model's order")
    outputs = []
    for text, dimension in zip(texts, dimensions, strict=True):
        view, _, space = text.partition(":")
        if not view:
            raise UsageError(f"--output {text!r}: name the view, as --output audio:my-space@1")
        outputs.append(Output(view, dimension, space or f"{spec}#{view}"))
    return outputs
