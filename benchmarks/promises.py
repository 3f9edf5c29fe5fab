"""A profile's promises beside what was measured: kept, broken, or not measured."""

import operator
from collections.abc import Callable
from dataclasses import dataclass, fields

from benchmarks.report import Report, Row
from edge.firmware import Promises


@dataclass(frozen=True)
class Measure:
    """Where a promise is measured: the worst of a script's rows whose names start with one of these words."""

    script: str
    rows: tuple[str, ...]
    figure: str
    keeps: Callable[[float, float], bool]
    """Whether what was measured (first) keeps what was promised (second)."""

    def of(self, reports: list[Report]) -> float | None:
        found = [row.figures.get(self.figure) for report in reports if report.name == self.script
                 for row in report.rows if row.name.startswith(self.rows)]
        numbers = [float(figure) for figure in found if figure is not None]
        worst = min if self.keeps is operator.ge else max
        return worst(numbers, default=None)


MEASURES = {
    "real_time_factor": Measure("end_to_end", ("hear:", "see:"), "real_time_factor", operator.ge),
    "list_p95_ms": Measure("end_to_end", ("recommend:",), "p95_ms", operator.le),
    "start_ms": Measure("startup", ("daemon: first list",), "median_ms", operator.le),
    "pss_mib": Measure("memory", ("daemon",), "pss_mib", operator.le),
}
KEPT, BROKEN = "kept", "BROKEN"


def compare(promises: Promises, reports: list[Report]) -> list[Row]:
    """A row for each promise; its note is KEPT, BROKEN or what to run."""
    return [_row(field.name, getattr(promises, field.name), reports) for field in fields(promises)]


def broken(rows: list[Row]) -> list[str]:
    """A sentence for each promise that is broken."""
    return [f"{row.name} is {row.figures['measured']:.4g}, promised are {row.figures['promised']:g}"
            for row in rows if row.note == BROKEN]


def _row(name: str, promised: float, reports: list[Report]) -> Row:
    measure = MEASURES[name]
    measured = measure.of(reports)
    if measured is None:
        return Row(name, {"promised": promised, "measured": None}, f"not measured: run {measure.script}")
    kept = measure.keeps(measured, promised)
    return Row(name, {"promised": promised, "measured": measured}, KEPT if kept else BROKEN)
