"""Rankings into figures: of relatives that a query finds, and of recordings that are named from a score on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

RECALLS = tuple(number / 20 for number in range(21))
SCORES = tuple(round(0.4 + number / 50, 2) for number in range(31))


@dataclass(frozen=True)
class Match:
    """How well a query fits its own recording, and the best other one."""

    own: float
    other: float


@dataclass(frozen=True)
class ByScore:
    """What a least score gives, at each of SCORES: shares of the queries."""

    named: list[float]
    """Named, and rightly."""
    false_matches: list[float]
    """Named, when their own track is taken out of the catalogue."""


def mean_average_precision(similarity: np.ndarray, families: np.ndarray, asked: Sequence[int] | None = None) -> float:
    """Of each query's ranking of all other tracks, where those of its own family count as found.

    ``similarity`` (queries, tracks); ``asked``: the queries' tracks, all in order by default. Tracks without
    relatives ask nothing.
    """
    precisions = [np.mean(_precisions(found)) for found in _rankings(similarity, families, asked)]
    return float(np.mean(precisions)) if precisions else float("nan")


def precision_by_recall(
    similarity: np.ndarray, families: np.ndarray, asked: Sequence[int] | None = None,
) -> list[float]:
    """Interpolated precision at each of RECALLS, the mean over the queries: the highest precision at that recall or
    a higher one (Manning, Raghavan and Schuetze, "Introduction to Information Retrieval", 2008, section 8.4).

    Takes what ``mean_average_precision`` takes; empty when no track has relatives.
    """
    curves = []
    for found in _rankings(similarity, families, asked):
        precisions = _precisions(found)
        best = np.maximum.accumulate(precisions[::-1])[::-1]
        needed = np.ceil(np.array(RECALLS) * len(best) - 1e-9).astype(int)
        curves.append(best[np.maximum(needed, 1) - 1])
    return np.mean(curves, axis=0).tolist() if curves else []


def by_score(matches: Sequence[Match]) -> ByScore:
    own, other = (np.array([getattr(match, side) for match in matches]) for side in ("own", "other"))
    return ByScore([float(np.mean((own > other) & (own >= least))) for least in SCORES],
                   [float(np.mean(other >= least)) for least in SCORES])


def _rankings(similarity: np.ndarray, families: np.ndarray, asked: Sequence[int] | None) -> Iterator[np.ndarray]:
    """Of each query that has relatives: which of the other tracks are, best first, bool (tracks - 1,)."""
    for number, row in zip(range(len(similarity)) if asked is None else asked, similarity, strict=True):
        order = np.argsort(-row, kind="stable")
        found = families[order[order != number]] == families[number]
        if found.any():
            yield found


def _precisions(found: np.ndarray) -> np.ndarray:
    """Precision at each track that is found: float64 (relatives,)."""
    ranks = np.flatnonzero(found) + 1
    return np.arange(1, len(ranks) + 1) / ranks
