"""Which part of a model is to blame when it has no graph or a format cannot express it."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, fx, nn

from export.quantize.graph import WEIGHTED, module_path, own_path


def untraceable_module(model: nn.Module, example: Tensor) -> str:
    """The innermost module that torch.export cannot capture, as ``path (Class)``; the model's class if none."""
    calls = _calls(model, example)
    for path, module in sorted(model.named_modules(), key=lambda item: -item[0].count(".") - bool(item[0])):
        if path in calls and not _traceable(module, *calls[path]):
            own = own_path(path)
            return f"{own} ({type(module).__name__})" if own else type(module).__name__
    return type(model).__name__


def _calls(model: nn.Module, example: Tensor) -> dict[str, tuple[tuple, dict]]:
    """What each module was first called with."""
    calls: dict[str, tuple[tuple, dict]] = {}
    with contextlib.ExitStack() as hooks:
        for path, module in model.named_modules():
            def remember(_: nn.Module, args: tuple, kwargs: dict, path: str = path) -> None:
                calls.setdefault(path, (args, kwargs))

            hooks.callback(module.register_forward_pre_hook(remember, with_kwargs=True).remove)
        with torch.no_grad():
            model(example)
    return calls


def _traceable(module: nn.Module, args: tuple, kwargs: dict) -> bool:
    try:
        torch.export.export(module, args, kwargs)
    except Exception:  # whatever the many passes raise, the answer is no
        return False
    return True


def inexpressible_operation(graph: fx.GraphModule, convert: Callable[[fx.GraphModule, tuple[Tensor, ...]], Any]) -> str:
    """The first operation that ``convert`` fails on alone, as ``path: operation``; empty when none does."""
    for node in _distinct_operations(graph):
        try:
            convert(*_alone(graph, node))
        except Exception:  # whatever the converter raises, this operation is to blame
            return f"{module_path(node)} ({_module_class(node)}) with its operation {node.target}"
    return ""


def _distinct_operations(graph: fx.GraphModule) -> Iterator[fx.Node]:
    seen = set(WEIGHTED)
    for node in graph.graph.nodes:
        if node.op == "call_function" and node.target not in seen and isinstance(node.meta.get("val"), Tensor):
            seen.add(node.target)
            yield node


def _alone(graph: fx.GraphModule, node: fx.Node) -> tuple[fx.GraphModule, tuple[Tensor, ...]]:
    """A graph of one operation, and inputs of the shapes that it had."""
    single, placeholders, inputs = fx.Graph(), {}, []
    for index, used in enumerate(node.all_input_nodes):
        placeholders[used] = single.placeholder(f"x{index}")
        value = used.meta["val"]
        inputs.append(torch.full(value.shape, 0.5).to(value.dtype))
    single.output(single.node_copy(node, lambda used: placeholders[used]))
    return fx.GraphModule(nn.Module(), single), tuple(inputs)


def _module_class(node: fx.Node) -> str:
    stack = list(node.meta.get("nn_module_stack", {}).values())
    kind = stack[-1][1] if stack else ""
    return (kind if isinstance(kind, str) else kind.__name__).rpartition(".")[2]
