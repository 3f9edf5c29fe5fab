"""Timing that survives a busy machine: warm-up, interleaved repeats, median and 99th percentile."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.report import Figure

Work = Callable[[], object]


@dataclass(frozen=True)
class Spent:
    """What work that was done and timed in another process (benchmarks/remote.py) took."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class Timing:
    """Repeated calls of one piece of work; each array has shape (repeats,) and dtype float64, in seconds."""

    wall_s: np.ndarray
    cpu_s: np.ndarray
    """CPU time of all threads of the process: what a busy neighbour disturbs least."""

    @property
    def median_s(self) -> float:
        return float(np.median(self.wall_s))

    @property
    def p99_s(self) -> float:
        return float(np.percentile(self.wall_s, 99))

    @property
    def cpu_median_s(self) -> float:
        return float(np.median(self.cpu_s))

    def figures_ms(self) -> dict[str, Figure]:
        """The columns that every timing table shares."""
        return {
            "median_ms": self.median_s * 1e3,
            "p99_ms": self.p99_s * 1e3,
            "cpu_median_ms": self.cpu_median_s * 1e3,
        }


def interleave(cases: dict[str, Work], *, repeats: int = 100, warmup: int = 5) -> dict[str, Timing]:
    """Time several pieces of work in one run, one call of each per round.

    Neighbours, clock changes and temperature then hit all of them alike, so their ratios hold where their times
    do not. The order rotates from round to round, since a case also leaves its caches to the next one.
    """
    for work in cases.values():
        for _ in range(warmup):
            work()
    names = list(cases)
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for turn in range(repeats):
        at = turn % max(1, len(names))
        for name in names[at:] + names[:at]:
            spent[name].append(_once(cases[name]))
    return {name: _timing(pairs) for name, pairs in spent.items()}


def _once(work: Work) -> tuple[float, float]:
    cpu, wall = time.process_time_ns(), time.perf_counter_ns()
    spent = work()
    if isinstance(spent, Spent):
        return spent.wall_s, spent.cpu_s
    return (time.perf_counter_ns() - wall) / 1e9, (time.process_time_ns() - cpu) / 1e9


def _timing(pairs: list[tuple[float, float]]) -> Timing:
    wall_s, cpu_s = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
    return Timing(wall_s=wall_s, cpu_s=cpu_s)
