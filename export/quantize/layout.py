"""Which layout a model takes its input in, found by trying, and the model as one that takes the bundle's layout.

The bundle's layouts are (1, frames, coefficients) for sound and (1, height, width, 3) for pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from edge.errors import ExportError, UsageError
from export.quantize.graph import WRAPPED


@dataclass(frozen=True)
class Network:
    """A model that takes the bundle's layout."""

    module: nn.Module
    layout: str
    """The layout that the model had itself, as ``(1, channels, height, width)``."""
    name: str
    """What messages call the model."""
    dimensions: tuple[int, ...]
    """Size of each output's embedding."""
    other_layouts: tuple[str, ...] = ()
    """The model runs on these as well: which it was trained with is then a guess."""


class Relaid(nn.Module):
    """A model behind a change of layout."""

    def __init__(self, model: nn.Module, change: Callable[[Tensor], Tensor]):
        super().__init__()
        setattr(self, WRAPPED, model)
        self._change = change

    def forward(self, x: Tensor) -> Any:
        return getattr(self, WRAPPED)(self._change(x))


_LAYOUTS: dict[str, dict[str, Callable[[Tensor], Tensor] | None]] = {
    "video": {
        "(1, channels, height, width)": lambda x: x.permute(0, 3, 1, 2),
        "(1, height, width, channels)": None,
    },
    "audio": {
        "(1, frames, coefficients)": None,
        "(1, 1, frames, coefficients)": lambda x: x.unsqueeze(1),
        "(1, coefficients, frames)": lambda x: x.transpose(1, 2),
        "(1, 1, coefficients, frames)": lambda x: x.transpose(1, 2).unsqueeze(1),
    },
}


def find_layout(
    model: nn.Module | ExportedProgram, kind: str, input_shape: tuple[int, ...], name: str | None = None, *,
    layout: str | None = None,
) -> Network:
    """Try the kind's layouts in turn, or ``layout`` alone; the first that runs is taken.

    Raises ExportError when the model runs with none of them or gives no embeddings, UsageError when the kind has no
    such ``layout``.
    """
    module = model.module() if isinstance(model, ExportedProgram) else model
    name = name or type(module).__name__
    run, refusals = {}, []
    for tried in _LAYOUTS[kind] if layout is None else [_known(layout, kind)]:
        change = _LAYOUTS[kind][tried]
        candidate = module if change is None else Relaid(module, change)
        try:
            with torch.no_grad():
                run[tried] = candidate, candidate(torch.zeros(input_shape))
        except Exception as error:  # her code may raise anything
            refusals.append(f"{tried}: {_first_line(error)}")
    if not run:
        raise ExportError(f"{name} does not run on an input of {input_shape} in any layout ({'; '.join(refusals)}); "
                          "set the front end to the size that it was trained with")
    (taken, (candidate, got)), *others = run.items()
    return Network(candidate, taken, name, _dimensions(got, name), tuple(other for other, _ in others))


def _known(layout: str, kind: str) -> str:
    """The layout that a text means, with or without brackets and spaces."""
    names = {_plain(known): known for known in _LAYOUTS[kind]}
    if _plain(layout) not in names:
        raise UsageError(f"the layout {layout!r} is none that {kind} models have: {', '.join(names)}")
    return names[_plain(layout)]


def _plain(layout: str) -> str:
    return layout.replace(" ", "").strip("()")


def outputs_of(got: Any) -> list[Tensor]:
    """A model's result as a list of tensors; empty when it is something else."""
    if isinstance(got, Tensor):
        return [got]
    if isinstance(got, tuple | list) and all(isinstance(value, Tensor) for value in got):
        return list(got)
    return []


def _dimensions(got: Any, name: str) -> tuple[int, ...]:
    outputs = outputs_of(got)
    if not outputs or any(value.dim() != 2 or len(value) != 1 or not value.is_floating_point() for value in outputs):
        shapes = ", ".join(str(tuple(value.shape)) for value in outputs) or type(got).__name__
        raise ExportError(f"{name} gives {shapes}, which is not an embedding (1, dimension); return the pooled "
                          "vector, or one per head as a tuple")
    return tuple(value.shape[1] for value in outputs)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:160]
