"""Rankings into figures: of relatives that a query finds, and of recordings that are named when it is sure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edge.catalog.recording import sureness

RECALLS = tuple(number / 20 for number in range(21))
LEVELS = tuple(round(0.2 + number / 50, 2) for number in range(31))


@dataclass(frozen=True)
class Match:
    """How well a query fits its own recording, the best other one, and the best but one of the others."""

    own: float
    other: float
    runner_up: float

    @property
    def right(self) -> bool:
        return self.own > self.other

    @property
    def sureness(self) -> float:
        """Of its own recording, where that is the best."""
        return sureness(np.array([self.own, self.other]))

    @property
    def sureness_without(self) -> float:
        """Of the best other one, when its own is taken out of the catalogue."""
        return sureness(np.array([self.other, self.runner_up]))

    def named(self, least: float) -> bool:
        """Rightly."""
        return self.right and self.sureness >= least

    def false(self, least: float) -> bool:
        """Taken for another one when its own is not there."""
        return self.sureness_without >= least


@dataclass(frozen=True)
class BySureness:
    """What a least sureness gives, at each of LEVELS: shares of the queries."""

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


def by_sureness(matches: Sequence[Match]) -> BySureness:
    return BySureness([float(np.mean([match.named(least) for match in matches])) for least in LEVELS],
                      [float(np.mean([match.false(least) for match in matches])) for least in LEVELS])


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
