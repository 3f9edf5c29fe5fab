"""The student's figures as one HTML page: how kinds are confused, what is retrieved, which recordings are named."""

import html
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import ExportError, RuntimeMissingError
from export.models.audio import KINDS
from export.training.evaluate import Figures
from export.training.evaluate_kinds import KindFigures
from export.training.retrieval import LEVELS, RECALLS

STUDENT, TEACHER, FALSE = "#1769aa", "#7b8794", "#c0241b"
COLUMNS = 3
STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:.5rem 0}caption{text-align:left;font-weight:600}
td,th{padding:.25rem .8rem;text-align:right}th{font-weight:400;color:#555}svg{max-width:100%;height:auto}
.tables{display:flex;flex-wrap:wrap;gap:1rem 3rem}"""


def write_figures(path: Path, figures: Figures, kinds: KindFigures | None = None) -> None:
    """Write the page, without outside parts. Raises ExportError when the place cannot be written, RuntimeMissingError
    without matplotlib."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(figures, kinds), "utf-8")
    except OSError as error:
        raise ExportError(f"--page {path}: cannot be written: {error.strerror or error}") from error


def page(figures: Figures, kinds: KindFigures | None = None) -> str:
    sections = [
        f"<h1>What the student hears</h1><p>{figures.queries} queries of 10 s among {figures.tracks} tracks of "
        "packages that it was not trained on, each heard through what stands above its plot.</p>",
        "<h2>What sounds alike</h2><p>Precision by recall of tracks of the same artist or album, among the teacher's "
        f"vectors. Blue: the student asks. Grey: the teacher asks. Dotted: chance, {figures.chance_retrieval:.3f}.</p>",
        _panels(figures.precision, lambda axes, name: _retrieval(axes, name, figures)),
        "<h2>Which recording it is</h2><p>By the sureness from which a match counts. Blue: named, and rightly. Red: "
        "named although the track was taken out of the catalogue. Dotted: the one that is used, "
        f"{figures.least_sureness:.3f}.</p>",
        _panels(figures.by_sureness, lambda axes, name: _naming(axes, name, figures)),
        _confusions(kinds) if kinds else ""]
    return ("<!doctype html><html lang=en><meta charset=utf-8><title>What the student hears</title>"
            f"<style>{STYLE}</style><body>{''.join(sections)}</body></html>\n")


def _panels(named: Mapping[str, object], draw: Callable[[Any, str], None]) -> str:
    """A plot of each condition, as one <svg>."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RuntimeMissingError("plots need matplotlib; run pip install 'roomtone[bench]'") from error
    rows = -(-len(named) // COLUMNS)
    with matplotlib.rc_context({"svg.hashsalt": "roomtone", "font.size": 9, "axes.spines.top": False,
                                "axes.spines.right": False}):
        figure = Figure(figsize=(10, 2.7 * rows), layout="constrained")
        grid = figure.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, name in zip(grid, named, strict=False):
            draw(axes, name)
            axes.set_title(name, loc="left", fontsize=9, fontweight="bold")
            axes.set_ylim(0, 1.02)
            axes.grid(alpha=0.3)
            axes.label_outer()
        for axes in grid[len(named) :]:
            axes.set_visible(False)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue()[drawn.getvalue().index("<svg") :]


def _retrieval(axes: Any, name: str, figures: Figures) -> None:
    axes.axhline(figures.chance_retrieval, color="#999", linestyle=":", linewidth=1)
    if name in figures.teacher_precision:
        axes.plot(RECALLS, figures.teacher_precision[name], color=TEACHER)
    axes.plot(RECALLS, figures.precision[name], color=STUDENT)
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")


def _naming(axes: Any, name: str, figures: Figures) -> None:
    axes.axvline(figures.least_sureness, color="#999", linestyle=":", linewidth=1)
    axes.plot(LEVELS, figures.by_sureness[name].named, color=STUDENT)
    axes.plot(LEVELS, figures.by_sureness[name].false_matches, color=FALSE)
    axes.set_xlabel("least sureness")
    axes.set_ylabel("share of queries")


def _confusions(kinds: KindFigures) -> str:
    tables = "".join(_confusion(name, table, kinds) for name, table in kinds.confusion.items())
    return ("<h2>Speech, music, other</h2><p>Windows of 3 s of packages that it was not trained on: what they are "
            f"(rows), what they were taken for (columns).</p><div class=tables>{tables}</div>")


def _confusion(name: str, table: list[list[int]], kinds: KindFigures) -> str:
    """Shares of each row, the darker the larger."""
    shares = np.array(table) / np.sum(table, axis=1, keepdims=True)
    head = "".join(f"<th>{kind}</th>" for kind in KINDS)
    body = "".join(f"<tr><th>{kind}</th>{''.join(map(_shaded, row))}</tr>"
                   for kind, row in zip(KINDS, shares, strict=True))
    return (f"<table><caption>{html.escape(name)}: {kinds.balanced_accuracy[name]:.1%}</caption>"
            f"<tr><th></th>{head}</tr>{body}</table>")


def _shaded(share: float) -> str:
    ink = "#fff" if share > 0.5 else "#222"
    return f'<td style="background:rgba(23,105,170,{share:.3f});color:{ink}">{share:.1%}</td>'
