"""The ranker as the JSON that edge/recommend/ranker.py reads: its weights can be seen, and nothing is unpickled."""

import json
from pathlib import Path

import numpy as np

from edge.recommend.feature_names import NAMES
from edge.recommend.ranker import FORMAT_VERSION, Ranker
from export.collaborative.lists import LEAST_SPREAD, RankingList


def strongest(ranker: Ranker, lists: list[RankingList], count: int) -> dict[str, float]:
    """The heaviest linear weights, per standard deviation, of the features that varied in the lists."""
    varied = np.concatenate([one.values for one in lists]).std(axis=0) > LEAST_SPREAD
    order = np.argsort(-np.abs(ranker.linear) * varied, kind="stable")[: min(count, varied.sum())]
    return {NAMES[at]: round(float(ranker.linear[at]), 3) for at in order}


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
