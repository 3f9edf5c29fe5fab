"""Plots of reports, as SVG or PNG, on a host that has matplotlib; a device needs none."""

import io
import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.report import Report, Row

OURS = "#1769aa"
OTHERS = "#9aa5b1"
WIDTH_INCHES, BAR_INCHES = 8.0, 0.3
Draw = Callable[[Any, list[Row]], None]
"""Draws rows onto matplotlib axes."""


def available() -> bool:
    return find_spec("matplotlib") is not None


def svg(report: Report) -> str:
    """An <svg> element, or "" where nothing is to be drawn or matplotlib is missing."""
    text = _render(report, "svg").decode()
    return text[text.index("<svg") :] if text else ""


def write(report: Report, folder: Path) -> None:
    """``NAME.svg`` and ``NAME.png``; nothing where ``svg`` gives nothing."""
    for kind in ("svg", "png"):
        if drawn := _render(report, kind):
            (folder / f"{report.name}.{kind}").write_bytes(drawn)


def _render(report: Report, kind: str) -> bytes:
    draw = PLOTS.get(report.name)
    rows = [row for row in report.rows if draw and draw.has(row)]
    if draw is None or not rows or not available():
        return b""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": report.name, "font.size": 9, "axes.spines.top": False,
                                "axes.spines.right": False}):
        figure = Figure(figsize=(WIDTH_INCHES, draw.height_inches(rows)), layout="constrained")
        draw.onto(figure.add_subplot(), rows)
        drawn = io.BytesIO()
        figure.savefig(drawn, format=kind, dpi=120, metadata={"Date": None} if kind == "svg" else None)
    return drawn.getvalue()


class Bars:
    """A bar for each row that has the figure, on a logarithmic scale; Roomtone's in colour."""

    def __init__(self, figure: str, *, theirs: str = r"kaldi|python_speech|librosa|float32|torch|tflite-runtime|"
                 r"openWakeWord|wakeword|numpy|faiss|usearch|hnswlib|sqlite|implicit"):
        self._figure, self._theirs = figure, re.compile(theirs)

    def has(self, row: Row) -> bool:
        return isinstance(row.figures.get(self._figure), (int, float)) and float(str(row.figures[self._figure])) > 0

    def height_inches(self, rows: list[Row]) -> float:
        return 0.7 + BAR_INCHES * len(rows)

    def onto(self, axes: Any, rows: list[Row]) -> None:
        names, values = [row.name for row in rows], [row.figures[self._figure] for row in rows]
        colours = [OTHERS if self._theirs.search(name) else OURS for name in names]
        bars = axes.barh(names, values, color=colours)
        axes.bar_label(bars, fmt="%.3g", padding=3)
        axes.set_xscale("log")
        axes.margins(x=0.12)
        axes.invert_yaxis()
        axes.set_xlabel(self._figure.replace("_", " "))


class Growth:
    """Figures against the number that a row's name starts with, both logarithmic."""

    def __init__(self, *figures: str):
        self._figures = figures

    def has(self, row: Row) -> bool:
        return bool(re.match(r"[\d,]+ ", row.name)) and all(row.figures.get(figure) for figure in self._figures)

    def height_inches(self, rows: list[Row]) -> float:
        return 4.0

    def onto(self, axes: Any, rows: list[Row]) -> None:
        sizes = [int(row.name.split()[0].replace(",", "")) for row in rows]
        for figure in self._figures:
            axes.loglog(sizes, [row.figures[figure] for row in rows], marker="o", label=figure.replace("_", " "))
        axes.set_xlabel("items")
        axes.grid(which="major", alpha=0.3)
        axes.legend()


class OverTime:
    """Throughput against the second that a row's name starts with, and the temperature where it is told."""

    def has(self, row: Row) -> bool:
        return "real_time_factor" in row.figures and bool(re.match(r"\d", row.name))

    def height_inches(self, rows: list[Row]) -> float:
        return 3.0

    def onto(self, axes: Any, rows: list[Row]) -> None:
        seconds = [float(row.name.split()[0]) for row in rows]
        axes.plot(seconds, [row.figures["real_time_factor"] for row in rows], marker="o", color=OURS)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("seconds of work")
        axes.set_ylabel("real time factor")
        if all(isinstance(row.figures.get("temperature_c"), float) for row in rows):
            warmth = axes.twinx()
            warmth.plot(seconds, [row.figures["temperature_c"] for row in rows], color="#b3541e")
            warmth.set_ylabel("°C")


PLOTS: dict[str, Any] = {
    "mfcc": Bars("ms_per_s"), "inference": Bars("median_ms"), "nearest": Bars("median_ms"),
    "streaming": Bars("cpu_percent"), "recommend": Bars("median_ms"), "startup": Bars("median_ms"),
    "memory": Bars("resident_mib"), "search": Bars("median_ms"), "end_to_end": Bars("cpu_percent"),
    "million": Growth("search_ms", "build_s", "anonymous_mib"), "catalog": Growth("view_ms", "words_ms", "build_s"),
    "build": Bars("files_per_s"), "sustained": OverTime(),
}
