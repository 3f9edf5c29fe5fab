"""The trade-off curve, NDCG against Gini, as an SVG that stands alone or in a page."""

import html
from pathlib import Path
from typing import Any

from edge.errors import ExportError

WIDTH, HEIGHT, MARGIN = 640, 420, 60
PEERS = ("popularity", "item-item", "als", "ease")
STYLE = ("text{font:12px system-ui,sans-serif;fill:#222}text.ours{text-anchor:middle}.axis{stroke:#999}"
         ".ours{fill:#1b5e9b}.peer{fill:#b0551b}")  # fmt: skip


def write_curve(path: Path, document: dict[str, Any]) -> None:
    """Draw the ``curve`` of an evaluation and its peers. Raises ExportError when the file cannot be written."""
    drawn = svg(document)
    if path.suffix == ".html":
        drawn = (f"<!doctype html><html lang=en><meta charset=utf-8><title>NDCG against Gini</title><body>"
                 f"<h1 style='font:600 18px system-ui'>NDCG@10 against the Gini coefficient of exposure</h1>{drawn}"
                 "</body></html>\n")  # fmt: skip
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise ExportError(f"--plot {path}: cannot be written: {error.strerror or error}") from error


def svg(document: dict[str, Any]) -> str:
    """Left is more equal, up is more precise; each point of the line is labelled with its exposure penalty."""
    ours = [(point["gini"], point["ndcg@10"], f"{point['exposure_penalty']:g}") for point in document["curve"]]
    found = document["models"]
    others = [(found[name]["gini"], found[name]["ndcg@10"], name) for name in PEERS if name in found]
    left, right = _span([x for x, _, _ in ours + others])
    low, high = _span([y for _, y, _ in ours + others])

    def place(x: float, y: float) -> tuple[float, float]:
        return (MARGIN + (x - left) / (right - left) * (WIDTH - 2 * MARGIN),
                HEIGHT - MARGIN - (y - low) / (high - low) * (HEIGHT - 2 * MARGIN))  # fmt: skip

    line = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y, _ in ours)
    marks = [_mark(*place(x, y), name, kind) for kind, points in (("ours", ours), ("peer", others))
             for x, y, name in points]  # fmt: skip
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"><style>{STYLE}</style>'
            f'{_axes(left, right, low, high)}<polyline points="{line}" fill="none" stroke="#1b5e9b"/>{"".join(marks)}'
            "</svg>\n")  # fmt: skip


def _span(values: list[float]) -> tuple[float, float]:
    room = 0.08 * (max(values) - min(values)) or 0.01
    return min(values) - room, max(values) + room


def _mark(x: float, y: float, name: str, kind: str) -> str:
    room = 7 if kind == "peer" else 0  # the points of the line lie close: their labels stand above them
    return (f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
            f'<text class="{kind}" x="{x + room:.1f}" y="{y - 9:.1f}">{html.escape(name)}</text>')  # fmt: skip


def _axes(left: float, right: float, low: float, high: float) -> str:
    bottom, end = HEIGHT - MARGIN, WIDTH - MARGIN
    return (f'<path class="axis" fill="none" d="M{MARGIN},{MARGIN} V{bottom} H{end}"/>'
            f'<text x="{MARGIN}" y="{bottom + 18}">{left:.3f}</text>'
            f'<text x="{end - 30}" y="{bottom + 18}">{right:.3f}</text>'
            f'<text x="{WIDTH / 2 - 80}" y="{bottom + 36}">Gini of exposure, all items (less is more equal)</text>'
            f'<text x="8" y="{bottom}">{low:.3f}</text><text x="8" y="{MARGIN}">{high:.3f}</text>'
            f'<text x="8" y="{MARGIN - 20}">NDCG@10; blue: Roomtone by exposure penalty</text>')  # fmt: skip
