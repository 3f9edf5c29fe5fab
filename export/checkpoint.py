"""Weights from files that may come from anywhere: tensors only, never code."""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from edge.errors import ExportError


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint: a state_dict, or a dict that holds one under ``state_dict`` or ``model``.

    Read with ``weights_only=True``, so a pickle with code in it is refused and never run; ``.safetensors`` is read by
    the package of that name. Raises ExportError.
    """
    return _state(read_plain(path), Path(path))


def read_plain(path: str | Path) -> Any:
    """What a file holds, as long as it is tensors and plain Python data. Raises ExportError."""
    path = Path(path)
    try:
        if path.suffix == ".safetensors":
            return _safetensors(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # what torch makes of other pickles is said below
            return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ExportError(f"{path}: the weights cannot be read: {error.strerror or error}") from error
    except Exception as error:  # the unpickler raises whatever damaged bytes lead it to
        raise ExportError(
            f"{path}: not a file of tensors that is safe to load (weights_only=True refused it); "
            "save it again with torch.save(model.state_dict(), path)"
        ) from error


def _safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load

    return load(path.read_bytes())


def _state(loaded: Any, path: Path) -> dict[str, Tensor]:
    for key in ("state_dict", "model"):
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
    if not isinstance(loaded, Mapping) or not loaded:
        raise ExportError(f"{path}: holds {type(loaded).__name__}, not a state_dict of named tensors")
    wrong = [key for key, value in loaded.items() if not isinstance(value, Tensor)]
    if wrong:
        raise ExportError(f"{path}: {wrong[0]!r} is not a tensor; save model.state_dict() and nothing else")
    return dict(loaded)


def read_state(path: str | Path, *, into: nn.Module, rename: Callable[[str], str] = str) -> None:
    """Load a checkpoint into a model, every tensor of it. Raises ExportError naming what does not fit."""
    state = {rename(key): value for key, value in read_tensors(path).items()}
    own = into.state_dict()
    for missing in sorted(own.keys() - state.keys()):
        raise ExportError(f"{path}: has no tensor {missing!r}, which {type(into).__name__} needs")
    for extra in sorted(state.keys() - own.keys()):
        raise ExportError(f"{path}: tensor {extra!r} has no place in {type(into).__name__}")
    for key, value in state.items():
        if value.shape != own[key].shape:
            raise ExportError(f"{path}: {key!r} has shape {tuple(value.shape)}, "
                              f"{type(into).__name__} needs {tuple(own[key].shape)}")
    into.load_state_dict(state)
