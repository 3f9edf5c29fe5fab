"""How many layers at the start of a model must stay in float, found by simulating the int8 model."""

from collections.abc import Callable

import numpy as np
import torch
from torch import fx

from export.quantize.correction import correct
from export.quantize.lockstep import Lockstep, Samples
from export.quantize.parity import compare

MARGIN = 0.5
"""The simulated loss may be this share of what the thresholds allow."""


def corrected_graph(
    make: Callable[[], fx.GraphModule], samples: Samples, held_out: Samples, *, most_float: int, least_cosine: float,
    compensate: bool = True,
) -> tuple[fx.GraphModule, int]:
    """A corrected graph and how many layers at its start stay in float: the fewest that lose little enough.

    ``make`` gives a fresh folded graph. With none of 0 to ``most_float`` below the loss, the best of them.
    """
    best: tuple[float, fx.GraphModule, int] | None = None
    for float_prefix in range(most_float + 1):
        graph = make()
        correct(graph, samples, compensate=compensate, float_prefix=float_prefix)
        cosine = simulated_cosine(make(), graph, held_out, float_prefix)
        if best is None or cosine > best[0]:
            best = (cosine, graph, float_prefix)
        if cosine >= 1 - MARGIN * (1 - least_cosine):
            break
    assert best is not None
    return best[1], best[2]


@torch.no_grad()
def simulated_cosine(
    reference: fx.GraphModule, corrected: fx.GraphModule, samples: Samples, float_prefix: int
) -> float:
    """Mean cosine of the simulated int8 outputs to the float model's; of the worst output where there are several."""
    outcome = Lockstep(corrected, float_prefix=float_prefix).run(samples, lambda step: step.run(step.twin_inputs))
    wanted = [reference(sample) for sample in samples]
    columns = zip(*(row if isinstance(row, tuple | list) else [row] for row in wanted), strict=True)
    return min(compare(_joined(list(column)), _joined(twins)).cosine_mean
               for column, twins in zip(columns, outcome.twin_outputs, strict=True))


def _joined(samples: Samples) -> np.ndarray:
    return torch.cat(samples).numpy()
