"""The ranker as the JSON that edge/recommend/ranker.py reads: its weights can be seen, and nothing is unpickled."""

import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.export import ExportedProgram

from edge.errors import ExportError
from edge.recommend.feature_names import NAMES
from edge.recommend.ranker import FORMAT_VERSION, MAX_HIDDEN, Ranker
from export.collaborative.lists import LEAST_SPREAD, RankingList
from export.models.ranker import factory, to_device

PROBES, TOLERANCE = 256, 1e-4
"""So many random candidates must score the same, to this share of the largest score."""


def strongest(ranker: Ranker, lists: list[RankingList], count: int) -> dict[str, float]:
    """The heaviest linear weights, per standard deviation, of the features that varied in the lists."""
    varied = np.concatenate([one.values for one in lists]).std(axis=0) > LEAST_SPREAD
    order = np.argsort(-np.abs(ranker.linear) * varied, kind="stable")[: min(count, varied.sum())]
    return {NAMES[at]: round(float(ranker.linear[at]), 3) for at in order}


def ranker_of(model: nn.Module | ExportedProgram, name: str) -> tuple[Ranker, float]:
    """A PyTorch model as the device's ranker, and the largest difference of their scores.

    Its parameters must be those of export/models/ranker.py. Raises ExportError when they are not, or when the model
    computes something else with them.
    """
    state = {key: value.detach() for key, value in model.state_dict.items()} if isinstance(
        model, ExportedProgram) else model.state_dict()  # fmt: skip
    hidden = state["hidden.bias"].shape[0] if "hidden.bias" in state else 0
    own = factory(hidden)
    wanted = {key: tuple(value.shape) for key, value in own.state_dict().items()}
    if wanted != {key: tuple(value.shape) for key, value in state.items()} or hidden > MAX_HIDDEN:
        raise ExportError(f"{name}: a ranker has the parameters {wanted} (at most {MAX_HIDDEN} hidden), not "
                          f"{ {key: tuple(value.shape) for key, value in state.items()} }"[:600])  # fmt: skip
    own.load_state_dict(state)
    if not (own.scale > 0).all():
        raise ExportError(f"{name}: every scale must be above 0")
    ranker = to_device([own])
    return ranker, _difference(model, ranker, name)


def _difference(model: nn.Module | ExportedProgram, ranker: Ranker, name: str) -> float:
    values = np.random.default_rng(0).standard_normal((PROBES, len(NAMES))).astype(np.float32)
    run = model.module() if isinstance(model, ExportedProgram) else model
    try:
        with torch.no_grad():
            theirs = np.concatenate([np.ravel(run(torch.from_numpy(row[np.newaxis])).numpy()) for row in values])
    except Exception as error:  # her code may raise anything
        raise ExportError(f"{name} does not run on features (1, {len(NAMES)}): {str(error)[:200]}") from error
    difference = float(np.abs(theirs - ranker.score(values)).max()) if len(theirs) == PROBES else np.inf
    if not difference <= TOLERANCE * max(1.0, float(np.abs(theirs).max())):
        raise ExportError(f"{name}: its scores differ by up to {difference:.3g} from x . linear + relu(x . hidden) . "
                          "output of the same weights; a device computes nothing else")
    return difference


def latency_ms(ranker: Ranker, candidates: int = 200, repeats: int = 50) -> float:
    """The median time on this machine to score so many candidates."""
    values, spent = np.zeros((candidates, len(NAMES)), np.float32), []
    for _ in range(repeats):
        start = time.perf_counter()
        ranker.score(values)
        spent.append(time.perf_counter() - start)
    return round(1e3 * float(np.median(spent)), 4)


def document(ranker: Ranker) -> dict:
    """The ranker as the JSON that edge/recommend/ranker.py reads."""
    hidden = ranker.hidden
    return {
        "format": FORMAT_VERSION,
        "features": list(NAMES),
        "linear": _rounded(ranker.linear),
        "bias": round(float(ranker.bias), 6),
        "mean": _rounded(ranker.mean),
        "scale": _rounded(ranker.scale),
        "hidden": None if hidden is None else {"weights": _rounded(hidden.weights), "bias": _rounded(hidden.bias),
                                               "output": _rounded(hidden.output)},
    }  # fmt: skip


def write_ranker(path: Path, ranker: Ranker) -> None:
    path.write_text(json.dumps(document(ranker)) + "\n", encoding="utf-8")


def _rounded(values: np.ndarray) -> list:
    """Seven digits are what float32 holds."""
    return json.loads(json.dumps(np.round(np.asarray(values, np.float64), 7).tolist()))
