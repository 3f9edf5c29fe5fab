"""Plots of reports, as SVG or PNG, on a host that has matplotlib; a device needs none."""

import io
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.report import Report, Row

OURS = "#1769aa"
OTHERS = "#7b8794"
NARROW = 100
"""A logarithmic scale of so few times is marked between its powers of ten as well."""
WIDTH_INCHES, LINE_INCHES = 8.0, 0.3
THEIRS = re.compile(r"kaldi|python_speech|librosa|float32|torch|tflite-runtime|openWakeWord|wakeword|implicit")


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


class Dots:
    """A dot for each row that has the figure, on a logarithmic scale; Roomtone's in colour."""

    def __init__(self, figure: str):
        self._figure = figure

    def has(self, row: Row) -> bool:
        value = row.figures.get(self._figure)
        return isinstance(value, (int, float)) and value > 0

    def height_inches(self, rows: list[Row]) -> float:
        return 0.7 + LINE_INCHES * len(rows)

    def onto(self, axes: Any, rows: list[Row]) -> None:
        from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

        places, values = range(len(rows)), [float(str(row.figures[self._figure])) for row in rows]
        axes.scatter(values, places, c=[OTHERS if THEIRS.search(row.name) else OURS for row in rows], zorder=2)
        for place, value in zip(places, values, strict=True):
            axes.annotate(f"{value:.3g}", (value, place), (7, 0), textcoords="offset points", va="center")
        axes.set_yticks(places, [row.name for row in rows])
        axes.set_xscale("log")
        narrow = max(values) < NARROW * min(values)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if narrow else (1,)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.grid(axis="y", alpha=0.3)
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


class ByScore:
    """Shares against the score that is needed, two lines for each kind that a row's name begins with."""

    def __init__(self, wanted: str, unwanted: str, of: str):
        self._styles, self._of = ((wanted, "-"), (unwanted, ":")), of

    def has(self, row: Row) -> bool:
        return "least_score" in row.figures

    def height_inches(self, rows: list[Row]) -> float:
        return 4.0

    def onto(self, axes: Any, rows: list[Row]) -> None:
        for number, kind in enumerate(dict.fromkeys(row.name.rpartition("from")[0] for row in rows)):
            of_kind = [row.figures for row in rows if row.name.rpartition("from")[0] == kind]
            scores = [figures["least_score"] for figures in of_kind]
            for figure, style in self._styles:
                axes.plot(scores, [figures[figure] for figures in of_kind], style, color=f"C{number}", marker="o",
                          label=kind.removesuffix(", ") + ": " * bool(kind) + figure.replace("_", " "))
        axes.set_xlabel("least score")
        axes.set_ylabel(f"share of {self._of}")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7)


PLOTS: dict[str, Any] = {
    "mfcc": Dots("ms_per_s"), "inference": Dots("median_ms"), "nearest": Dots("median_ms"),
    "streaming": Dots("cpu_percent"), "recommend": Dots("median_ms"), "startup": Dots("median_ms"),
    "memory": Dots("resident_mib"), "search": Dots("median_ms"), "end_to_end": Dots("cpu_percent"),
    "million": Growth("search_ms", "build_s", "anonymous_mib"), "catalog": Growth("view_ms", "words_ms", "build_s"),
    "build": Dots("files_per_s"), "sustained": OverTime(),
    "shots": ByScore("named_rightly", "unknown_film_named", "pictures"),
    "copies": ByScore("copies_merged", "others_merged", "pairs"),
}
