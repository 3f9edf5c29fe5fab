"""A PyTorch model as a graph of ATen operations: one form for whatever model or exported program came in.

Everything between the model that an engineer brings and the two converters works on this graph: batch norm is
folded in it, weights are rounded in it, and each step can be watched on real inputs.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram

_ATEN = torch.ops.aten
CONVOLUTIONS = frozenset({_ATEN.conv1d.default, _ATEN.conv1d.padding, _ATEN.conv2d.default, _ATEN.conv2d.padding})
WEIGHTED = CONVOLUTIONS | {_ATEN.linear.default}
"""Operations (input, weight, bias, ...) whose weight has one row per output channel."""
WRAPPED = "given_model"
"""Attribute that holds a model which the exporter wraps to change its layout."""


@dataclass(frozen=True)
class Layer:
    """One convolution or linear operation of a graph, with constants of its own."""

    name: str
    """The path of the module it came from, as ``backbone.stem.conv``."""
    node: fx.Node
    weight_name: str
    bias_name: str

    @property
    def channel_axis(self) -> int:
        """Where the output channels lie in the result."""
        return 1 if self.node.target in CONVOLUTIONS else -1


def trace(model: nn.Module | ExportedProgram, example: Tensor) -> fx.GraphModule:
    """Capture the operations that a model runs on an input of this shape.

    A model whose control flow depends on the values of its input has no such graph; torch.export then raises.
    Every layer of the result owns its weight and a bias, also where the model shared them or had none.
    """
    program = model if isinstance(model, ExportedProgram) else torch.export.export(model, (example,))
    graph = program.module(check_guards=False)
    for node in [node for node in graph.graph.nodes if _is_layer(node)]:
        _own_constants(graph, node)
    clean(graph)
    return graph


def clean(graph: fx.GraphModule) -> None:
    """Drop what is no longer used and make the graph callable again after an edit."""
    graph.graph.eliminate_dead_code()
    graph.graph.lint()
    graph.recompile()


def layers(graph: fx.GraphModule) -> list[Layer]:
    """Convolutions and linear layers, in the order in which they run."""
    return [Layer(module_path(node), node, node.args[1].target, node.args[2].target)
            for node in graph.graph.nodes if _is_layer(node)]


def module_path(node: Any) -> str:
    """The module that an operation belongs to, as in ``model.named_modules()``; its own name at the top level."""
    stack = list(node.meta.get("nn_module_stack", {}).values())
    return own_path(stack[-1][0] if stack else "") or node.name


def own_path(path: str) -> str:
    """A module's path within the model that was given, without the exporter's own wrapper around it."""
    return "" if path == WRAPPED else path.removeprefix(f"{WRAPPED}.")


def constant(graph: fx.GraphModule, name: str) -> Tensor:
    """A parameter or buffer by its dotted name."""
    owner, _, leaf = name.rpartition(".")
    return getattr(graph.get_submodule(owner), leaf)


def add_constant(graph: fx.GraphModule, name: str, value: Tensor, *, before: fx.Node) -> fx.Node:
    """Register a buffer and return the node that reads it."""
    graph.register_buffer(name, value.detach().clone())
    with graph.graph.inserting_before(before):
        node = graph.graph.get_attr(name)
    node.meta["val"] = value
    return node


def _is_layer(node: Any) -> bool:
    return node.target in WEIGHTED and isinstance(node.args[1], fx.Node) and node.args[1].op == "get_attr"


def _own_constants(graph: fx.GraphModule, node: Any) -> None:
    weight = constant(graph, _target(node.args[1]))
    given = node.args[2] if len(node.args) > 2 else None
    bias = torch.zeros(weight.shape[0]) if given is None else constant(graph, _target(given))
    own = [add_constant(graph, f"{node.name}_{suffix}", value, before=node)
           for suffix, value in (("weight", weight), ("bias", bias))]
    node.args = (node.args[0], *own, *node.args[3:])


def _target(node: Any) -> str:
    return node.target
