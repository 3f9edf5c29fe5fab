"""An export's report as one HTML page without scripts or outside parts, and the same as JSON beside it."""

import html
import json
from pathlib import Path
from typing import Any

from edge.errors import ExportError
from export.quantize.losses import LayerLoss
from export.quantize.report import Report

BAR_HEIGHT_PX, BAR_STEP_PX, PLOT_WIDTH_PX, MOST_DB = 12, 16, 420, 60.0
STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:.5rem 0}td,th{padding:.15rem .7rem;border-bottom:1px solid #ddd;text-align:right}
td:first-child,th:first-child{text-align:left}.bad{color:#b00020;font-weight:600}.good{color:#1b7a3d;font-weight:600}
text{font:11px system-ui,sans-serif}"""


def write_report(report: Report, path: Path) -> None:
    """Write ``path`` (HTML) and the same name with ``.json``. Raises ExportError when the place cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(report), "utf-8")
        path.with_suffix(".json").write_text(json.dumps(report.document(), indent=1, sort_keys=True) + "\n", "utf-8")
    except OSError as error:
        raise ExportError(f"--report {path}: cannot be written: {error.strerror or error}") from error


def page(report: Report) -> str:
    verdict = '<p class="good">Passed.</p>' if not report.problems else "".join(
        f'<p class="bad">{html.escape(problem)}</p>' for problem in report.problems)
    sections = [
        f"<h1>{html.escape(report.model)}</h1><p>{report.kind} model, its own layout {html.escape(report.layout)}"
        f"{_guess(report)}</p>",
        verdict, "<h2>Agreement with the float model</h2>", _agreement(report),
        "<h2>Files and time</h2>", _files(report), _profile(report),
        "<h2>What each layer loses</h2>", "<p>Signal to rounding noise with weights rounded to nearest, before "
        "correction; a short bar loses much. Light: the layer's own rounding. Dark: all up to it.</p>",
        _plot(report.layers), "<h2>Ranges</h2>", _ranges(report.layers),
    ]
    return (f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(report.model)}</title>"
            f"<style>{STYLE}</style><body>{''.join(sections)}</body></html>\n")


def _guess(report: Report) -> str:
    if not report.other_layouts:
        return ""
    others = html.escape(", ".join(report.other_layouts))
    return f'<span class="bad">; it also runs on {others}: was it trained so?</span>'


def _table(head: list[str], rows: list[list[Any]]) -> str:
    cells = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{''.join(f'<th>{html.escape(name)}</th>' for name in head)}</tr>{cells}</table>"


def _agreement(report: Report) -> str:
    names = ["cosine_mean", "cosine_p5", "cosine_min", "neighbour_agreement", "top1_agreement", "between_inputs"]
    measured = [(f"{where}: {view}", found) for where, views in report.parity.items() if isinstance(views, dict)
                for view, found in views.items()]
    names = [name for name in names if any(name in found for _, found in measured)]
    rows = [[where, *(found.get(name, "") for name in names)] for where, found in measured]
    return (f"<p>{report.parity['inputs']} inputs that calibration ({report.calibration_inputs}) did not see.</p>"
            + _table(["", *(name.replace("_", " ") for name in names)], rows))


def _files(report: Report) -> str:
    rows = [[suffix, f"{size:,}", times["int8_ms"], times["float_ms"], times["ratio"], _counted(operations)]
            for (suffix, size), times, operations in zip(
                report.sizes_bytes.items(), report.latency.values(), report.float_operations.values(), strict=True)]
    kept = ", ".join(report.float_layers) or "none"
    return _table(["file", "bytes", "int8 ms", "float ms", "ratio", "operations in float"], rows) + (
        f"<p>Layers left in float: {html.escape(kept)}.</p>")


def _counted(operations: list[str]) -> str:
    return ", ".join(f"{operations.count(kind)} {kind}" for kind in sorted(set(operations))) or "none"


def _profile(report: Report) -> str:
    if report.fit is None:
        return ""
    kind, said = ("good", "fits") if report.fit.fits else ("bad", "does not fit")
    return (f'<p class="{kind}">The profile {html.escape(report.fit.profile)}: it {said} '
            f"({report.fit.weights_bytes + report.fit.arena_bytes:,} of {report.fit.room_bytes:,} bytes).</p>")


def _plot(losses: tuple[LayerLoss, ...]) -> str:
    bars = []
    for row, loss in enumerate(losses):
        y = row * BAR_STEP_PX
        for value, colour, height in ((loss.own_snr_db, "#9ab8d8", BAR_HEIGHT_PX), (loss.snr_db, "#2c5d8f", 5)):
            width = PLOT_WIDTH_PX * min(max(value, 0.0), MOST_DB) / MOST_DB
            bars.append(f'<rect x="300" y="{y}" width="{width:.1f}" height="{height}" fill="{colour}"/>')
        bars.append(f'<text x="0" y="{y + 10}">{html.escape(loss.layer[-48:])}</text>'
                    f'<text x="{310 + PLOT_WIDTH_PX}" y="{y + 10}">{loss.own_snr_db:.0f} / {loss.snr_db:.0f} dB</text>')
    height = max(1, len(losses)) * BAR_STEP_PX
    return f'<svg role="img" viewBox="0 0 820 {height}" width="100%">{"".join(bars)}</svg>'


def _ranges(losses: tuple[LayerLoss, ...]) -> str:
    rows = [[loss.layer, *(f"{value:.4g}" for value in (*loss.weights, *loss.activations))] for loss in losses]
    return _table(["layer", "least weight", "largest weight", "least activation", "largest activation"], rows)
