"""Does a model fit a device? Its weights and its peak of activations against the firmware profile's budget."""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import fx

from edge import memory
from edge.firmware import MIB, FirmwareProfile

_IN_PLACE = frozenset({
    torch.ops.aten.view.default, torch.ops.aten.reshape.default, torch.ops.aten.flatten.using_ints,
    torch.ops.aten.unsqueeze.default, torch.ops.aten.squeeze.dim, torch.ops.aten.relu.default,
    torch.ops.aten.hardtanh.default, torch.ops.aten.relu6.default,
})


@dataclass(frozen=True)
class Fit:
    """A verdict and the figures behind it."""

    profile: str
    weights_bytes: int
    """As the runtimes hold them: the file, and once more repacked for the kernels."""
    arena_bytes: int
    """The most that int8 activations take at once."""
    room_bytes: int
    """The profile's budget less what the rest of the process needs before models and catalogue (edge/memory.py)."""

    @property
    def fits(self) -> bool:
        return self.weights_bytes + self.arena_bytes <= self.room_bytes

    def document(self) -> dict[str, Any]:
        return asdict(self) | {"fits": self.fits}

    def sentence(self) -> str:
        need = (self.weights_bytes + self.arena_bytes) / MIB
        return (f"the model needs {need:.1f} MiB (weights {self.weights_bytes / MIB:.1f}, activations "
                f"{self.arena_bytes / MIB:.1f}) and the profile {self.profile} leaves {self.room_bytes / MIB:.1f} MiB "
                "for models; make the model or its input smaller, or raise memory.budget_mib")


def fit(profile: FirmwareProfile, *, file_bytes: int, arena_bytes: int) -> Fit:
    """``file_bytes``: size of the model file of the profile's runtime."""
    runtime = profile.engine.runtime
    room = max(0, profile.memory.budget_bytes - sum(memory.fixed_parts(profile, runtime).values()))
    return Fit(profile.name, int(memory.COPIES_OF_MODEL[runtime] * file_bytes), arena_bytes, room)


def peak_activation_bytes(graph: fx.GraphModule) -> int:
    """The most bytes of activations that live at once when the traced graph runs in order, one byte a value."""
    owner: dict[fx.Node, fx.Node] = {}
    last_use: dict[fx.Node, fx.Node] = {}
    for node in graph.graph.nodes:
        owner[node] = owner[node.all_input_nodes[0]] if node.target in _IN_PLACE else node
        last_use |= {owner[used]: node for used in node.all_input_nodes}
    live: dict[fx.Node, int] = {}
    peak = 0
    for node in graph.graph.nodes:
        value = node.meta.get("val")
        if node.op != "get_attr" and owner[node] is node and isinstance(value, torch.Tensor):
            live[node] = value.numel()
        peak = max(peak, sum(live.values()))
        live = {held: size for held, size in live.items() if last_use.get(held) is not node}
    return peak
