"""A float graph and its int8 twin, run side by side on the same inputs, one operation at a time.

The twin simulates what the device computes: weights on the int8 grid, and activations rounded to the 256 levels
between the smallest and the largest value that the float side showed (asymmetric, per tensor, zero always a level).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, fx

from export.quantize.graph import Layer, constant, layers

_ATEN = torch.ops.aten
_ACTIVATIONS = frozenset({
    _ATEN.relu.default, _ATEN.relu_.default, _ATEN.relu6.default, _ATEN.hardtanh.default, _ATEN.hardtanh_.default,
})
"""Operations that both converters fuse into the layer before them."""
_MOVES = frozenset({
    _ATEN.permute.default, _ATEN.transpose.int, _ATEN.view.default, _ATEN.reshape.default, _ATEN.flatten.using_ints,
    _ATEN.unsqueeze.default, _ATEN.squeeze.dim, _ATEN.pad.default, _ATEN.constant_pad_nd.default,
    _ATEN.dropout.default, _ATEN.contiguous.default, _ATEN.clone.default,
})
"""Operations that only move values and keep their scale."""

Samples = list[Tensor]
"""One tensor per calibration sample; the traced graph has a batch of one."""


@dataclass(frozen=True)
class Step:
    """The moment before the twin runs a layer: change its constants in the graph, then run it."""

    layer: Layer
    twin_inputs: Samples
    float_outputs: Samples
    run: Callable[[Samples], Samples]
    """Runs the layer with the constants that the graph holds now."""


@dataclass(frozen=True)
class Range:
    low: float
    high: float

    @staticmethod
    def of(values: Iterable[Tensor]) -> "Range":
        """The smallest range that holds all values and zero."""
        extremes = [torch.aminmax(value) for value in values]
        return Range(min(0.0, *(float(low) for low, _ in extremes)), max(0.0, *(float(high) for _, high in extremes)))

    @property
    def scale(self) -> float:
        return max(self.high - self.low, 1e-9) / 255

    def round(self, value: Tensor) -> Tensor:
        """To the nearest of the range's 256 levels."""
        zero_point = round(-128 - self.low / self.scale)
        return ((value / self.scale).round() + zero_point).clamp(-128, 127).sub(zero_point) * self.scale


@dataclass
class Outcome:
    """What both sides gave: one list of samples per output of the graph, and the float side's ranges."""

    float_outputs: list[Samples]
    twin_outputs: list[Samples]
    ranges: dict[str, Range]
    """Range of each layer's result after its activation, by layer name."""
    node_ranges: dict[Any, Range]
    """The same of every node whose result is rounded."""


def _of_sample(values: dict[Any, Any], index: int, used: Any) -> Any:
    return values[used][index] if isinstance(values[used], list) else values[used]


def _is_real(value: Any) -> bool:
    """Not so for what an operation of several results gives, whose parts are taken out by later nodes."""
    return isinstance(value, Tensor) and value.is_floating_point()


class Lockstep:
    """One pass of both sides over a traced graph. ``float_prefix`` layers at the start stay as they are."""

    def __init__(self, graph: fx.GraphModule, *, float_prefix: int = 0):
        self._graph = graph
        self._layers = {layer.node: layer for layer in layers(graph)}
        self._float = frozenset(list(self._layers)[:float_prefix])
        self._last_use = {used: node for node in graph.graph.nodes for used in node.all_input_nodes}

    @torch.no_grad()
    def run(self, samples: Samples, on_layer: Callable[[Step], Samples]) -> Outcome:
        """``on_layer`` gets each int8 layer, may change its constants, and returns the twin's outputs."""
        self._values: dict[Any, Any] = {}
        self._twins: dict[Any, Any] = {}
        self._samples, self._on_layer = samples, on_layer
        outcome = Outcome([], [], {}, {})
        for node in self._graph.graph.nodes:
            if node.op == "output":
                outcome.float_outputs = [self._values[used] for used in node.all_input_nodes]
                outcome.twin_outputs = [self._twins[used] for used in node.all_input_nodes]
            else:
                self._visit(node, outcome)
            self._forget(node)
        return outcome

    def _visit(self, node: Any, outcome: Outcome) -> None:
        if node.op == "placeholder":
            self._values[node] = self._samples
            self._twins[node] = self._rounded(node, self._samples, outcome)
        elif node.op == "get_attr":
            self._values[node] = self._twins[node] = constant(self._graph, node.target)
        elif node in self._layers and node not in self._float:
            self._visit_layer(node, outcome)
        else:
            self._values[node] = self._apply(node, self._values)
            self._twins[node] = self._rounded(node, self._apply(node, self._twins), outcome)

    def _visit_layer(self, node: Any, outcome: Outcome) -> None:
        layer, inputs = self._layers[node], self._twins[node.args[0]]
        self._values[node] = self._apply(node, self._values)

        def run(samples: Samples) -> Samples:
            constants = {arg: constant(self._graph, arg.target) for arg in node.args[1:3]}
            return self._apply(node, {node.args[0]: samples, **constants})

        step = Step(layer, inputs, self._values[node], run)
        self._twins[node] = self._rounded(node, self._on_layer(step), outcome)

    def _apply(self, node: Any, values: dict[Any, Any]) -> Any:
        """The operation on every sample; once only, when nothing in it depends on the sample."""
        if not any(isinstance(values[used], list) for used in node.all_input_nodes):
            return self._call(node, lambda used: values[used])
        return [self._call(node, partial(_of_sample, values, index)) for index in range(len(self._samples))]

    @staticmethod
    def _call(node: Any, value: Callable[[fx.Node], Any]) -> Any:
        return node.target(*fx.node.map_arg(node.args, value), **fx.node.map_arg(node.kwargs, value))

    def _rounded(self, node: Any, twins: Any, outcome: Outcome) -> Any:
        """The twin's result as the device stores it."""
        if not isinstance(twins, list) or not _is_real(twins[0]) or node.target in _MOVES:
            return twins
        if len(node.users) == 1 and next(iter(node.users)).target in _ACTIVATIONS:
            return twins
        held = Range.of(self._values[node])
        outcome.ranges[self._owner(node)] = outcome.node_ranges[node] = held
        return twins if self._in_float_prefix(node) else [held.round(twin) for twin in twins]

    def _owner(self, node: Any) -> str:
        if node.target in _ACTIVATIONS and node.args[0] in self._layers:
            node = node.args[0]
        return self._layers[node].name if node in self._layers else node.name

    def _in_float_prefix(self, node: Any) -> bool:
        return node in self._float or (node.target in _ACTIVATIONS and node.args[0] in self._float)

    def _forget(self, node: Any) -> None:
        for used in node.all_input_nodes:
            if self._last_use[used] is node:
                self._values.pop(used, None)
                self._twins.pop(used, None)
