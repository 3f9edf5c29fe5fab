"""Nearest neighbours among many vectors: a search looks into the lists whose centroids are nearest to the query.

An inverted file (Jegou et al., 2011) without the product quantiser. The centroids are found the same way, through
groups of them, so that with more vectors there may be more lists. Lists that no query looks into never come into
memory.
"""

import math
from collections.abc import Mapping

import numpy as np

from edge.catalog.index import Found, Scorer, scaled_query, shortlist
from edge.catalog.lists import Lists

NEIGHBOURS = (10, 100, 1000)
"""For so many the writer measures how many lists a search must look into; between them that is interpolated."""
FURTHER = 1.1
"""A filter's nearest lie so many times further, in neighbours, than its share says: the last of ten may by chance, and
the furthest are the hardest to find (benchmarks/million.py)."""
RARER = 4.0
"""Where the lists near the query hold less than a filter's share, what it leaves grows rarer towards the query: so many
times less than in all of these lists (tests/edge/catalog/test_index.py)."""
LISTS_PER_PROBE, GROUPS_BESIDE = 6, 24
"""Centroids are compared of groups that hold so many times the lists to be looked into, and of so many more groups: a
near list may lie at the edge of a far group. Of a million, 60 lists found .938 of the nearest through 17 groups and
.959 through 48; to find as much through 17 took 80 lists, which cost more than the centroids of 31 groups."""
COPIES = 2
"""A vector lies in so many lists at most (edge/catalog/lists.py)."""
PICKED_COST, PASSED_COST, MASK_COST = 2.0, 0.4, 0.01
"""Of a vector picked out of its list by a filter, of one passed over by it, and of an item of the filter itself, in
vectors of a list (benchmarks/search.py)."""


class IvfIndex:
    """The same answers as ExactIndex gives, but for the few neighbours that lie in lists not looked into."""

    def __init__(self, lists: Lists, *, probes: Mapping[int, int], places: np.ndarray | None = None):
        """``probes``: lists to look into for so many neighbours, for each of NEIGHBOURS. ``places``: int32, position in
        the lists of every label, -1 where there is none; without it a filter that leaves little is slow.
        """
        self._lists, self._places = lists, places
        self._groups = lists.groups.astype(np.float32)
        self._logarithms = [(math.log(k), math.log(probes[k])) for k in NEIGHBOURS]
        self._scorer = Scorer(lists.vectors.shape[1])

    def search(self, query: np.ndarray, k: int, allowed: np.ndarray | None = None) -> Found:
        scaled = scaled_query(query, self._lists.vectors.shape[1])
        if k < 1:
            return np.empty(0, np.int32), np.empty(0, np.float32)
        if allowed is None and self._lists.files is not None:
            vectors, known = self._lists.read(self._nearest(scaled, self._probes(k)))
            scores = self._scorer.all(vectors, scaled)
            near = shortlist(scores, COPIES * k)
            labels = known[near]
        else:
            positions = (self._visited(scaled, self._probes(k)) if allowed is None
                         else self._permitted(scaled, k, allowed))
            scores = self._scorer.some(self._lists.vectors, scaled, positions)
            near = shortlist(scores, COPIES * k)
            labels = self._lists.labels[positions[near]]
        return _distinct(labels, scores[near], k)

    def _permitted(self, scaled: np.ndarray, k: int, allowed: np.ndarray) -> np.ndarray:
        """Positions to be compared. The k nearest of a share are among the k / share nearest of all.

        Where the lists near the query hold less than their share, as with a filter of another genre, more are visited.
        """
        count, total = int(np.count_nonzero(allowed)), len(self._lists.vectors)
        share, enough = count / len(allowed), 0.5
        while share > 0:
            probes = self._probes(FURTHER * k / share)
            visited = probes * total / len(self._lists.centroids)
            if count * PICKED_COST + len(allowed) * MASK_COST <= visited * (PASSED_COST + share):
                break
            positions = self._visited(scaled, probes)
            kept = positions.take(np.flatnonzero(allowed.take(self._lists.labels.take(positions))))  # a mask is slower
            if len(kept) >= enough * share * len(positions) or probes == len(self._lists.centroids):
                return kept
            share, enough = max(len(kept) / len(positions) / RARER, share / 16), 1.0
        return self._every(allowed)

    def _every(self, allowed: np.ndarray) -> np.ndarray:
        """The positions of all allowed vectors."""
        if self._places is None:
            return np.flatnonzero(allowed[self._lists.labels])
        positions = self._places[np.flatnonzero(allowed)]
        return positions[positions >= 0]

    def _probes(self, neighbours: float) -> int:
        """Lists to look into for so many neighbours; beyond the last measurement in proportion to them."""
        beyond = max(1.0, neighbours / NEIGHBOURS[-1])
        wanted = math.log(min(max(neighbours, NEIGHBOURS[0]), NEIGHBOURS[-1]))
        low, high = self._logarithms[:2] if neighbours < NEIGHBOURS[1] else self._logarithms[1:]
        between = low[1] + (high[1] - low[1]) * (wanted - low[0]) / (high[0] - low[0])
        return min(round(beyond * math.exp(between)), len(self._lists.centroids))

    def _visited(self, scaled: np.ndarray, probes: int) -> np.ndarray:
        """Positions of all vectors of the nearest lists, int64."""
        return spans(self._lists.bounds, self._nearest(scaled, probes))

    def _nearest(self, scaled: np.ndarray, probes: int) -> np.ndarray:
        """Numbers of the nearest lists."""
        lists = self._lists
        groups = -(-LISTS_PER_PROBE * probes * len(lists.groups) // len(lists.centroids)) + GROUPS_BESIDE
        if groups >= len(lists.groups):
            return _highest(self._scorer.all(lists.centroids, scaled), probes)
        nearest = spans(lists.grouped, _highest(self._groups @ scaled, groups))
        scores = self._scorer.some(lists.centroids, scaled, nearest)
        return nearest[_highest(scores, probes)]


def _distinct(labels: np.ndarray, scores: np.ndarray, k: int) -> Found:
    """The k best, each label once, equal ones by label."""
    labels, first = np.unique(labels, return_index=True)
    scores = scores[first]
    order = np.argsort(-scores, kind="stable")[:k]
    return labels[order], scores[order]


def spans(bounds: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """bounds[i] to bounds[i + 1] - 1 of each number, one span after the other, int64."""
    begins = bounds[numbers]
    counts = bounds[numbers + 1] - begins
    ends = np.cumsum(counts)
    return np.repeat(begins - ends + counts, counts) + np.arange(ends[-1] if len(ends) else 0)


def _highest(scores: np.ndarray, count: int) -> np.ndarray:
    """Positions of the highest scores, in no order."""
    if count >= len(scores):
        return np.arange(len(scores))
    return np.argpartition(scores, len(scores) - count)[len(scores) - count :]
