"""One HTML page of a whole run, and ``python -m benchmarks page DIR``: tables and plots in one file, no network."""

import argparse
import html
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import plots
from benchmarks.report import Report, Row, cell, columns

STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; }
nav { display: flex; flex-wrap: wrap; gap: .2rem .9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .7rem .15rem 0; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child, .note { text-align: left; } th { font-weight: 600; vertical-align: bottom; }
td.note { white-space: normal; min-width: 16rem; } .broken { color: #c0241b; font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: 0; } dt { opacity: .7; }
dd { margin: 0; }
figure { margin: 1rem 0; background: #fff; padding: .5rem; width: fit-content; max-width: 100%; overflow-x: auto; }
"""


def write(folder: Path) -> Path:
    """Write ``index.html`` of all the reports, NAME.json, in a folder; plots where matplotlib is installed."""
    reports = [Report(**document | {"rows": [Row(**row) for row in document["rows"]]})
               for path in sorted(folder.glob("*.json"))
               if isinstance(document := json.loads(path.read_text(encoding="utf-8")), dict) and "rows" in document]
    reports.sort(key=lambda report: report.name != "promises")
    path = folder / "index.html"
    path.write_text(render(reports), encoding="utf-8")
    return path


def render(reports: list[Report]) -> str:
    if not reports:
        return _document("<p>No reports.</p>")
    links = "".join(f'<a href="#{html.escape(report.name)}">{html.escape(report.name)}</a>' for report in reports)
    newest = max(reports, key=lambda report: str(report.machine.get("date")))
    sections = "".join(_section(report, newest.machine) for report in reports)
    return _document(f"<h1>Roomtone, measured</h1>{_machine(newest.machine)}<nav>{links}</nav>{sections}")


def _document(body: str) -> str:
    return ('<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Roomtone, measured</title>'
            f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
            f"<body>{body}</body></html>")


def _section(report: Report, newest: dict[str, Any]) -> str:
    """What differs from the page's header stands in the section: reports of several runs may lie in one folder."""
    own = {key: value for key, value in report.machine.items() if newest.get(key) != value}
    drawn = plots.svg(report)
    name, question = html.escape(report.name), html.escape(report.question)
    return (f'<section id="{name}"><h2>{name}: {question}</h2>'
            f'<div class="wide">{_table(report.rows)}</div>{f"<figure>{drawn}</figure>" if drawn else ""}'
            f"{_machine(own)}</section>")


def _table(rows: list[Row]) -> str:
    keys, noted = columns(rows), any(row.note for row in rows)
    head = "".join(f"<th>{html.escape(key.replace('_', ' '))}</th>" for key in keys)
    note = '<th class="note">note</th>' if noted else ""
    lines = "".join(f"<tr>{_line(row, keys, noted)}</tr>" for row in rows)
    return f"<table><thead><tr><th></th>{head}{note}</tr></thead><tbody>{lines}</tbody></table>"


def _line(row: Row, keys: list[str], noted: bool) -> str:
    figures = "".join(f"<td>{html.escape(cell(row.figures.get(key)))}</td>" for key in keys)
    mark = " broken" if row.note == "BROKEN" else ""
    note = f'<td class="note{mark}">{html.escape(row.note)}</td>' if noted else ""
    return f"<td>{html.escape(row.name)}</td>{figures}{note}"


def _machine(machine: dict[str, Any]) -> str:
    terms = "".join(f"<dt>{html.escape(key.replace('_', ' '))}</dt><dd>{html.escape(cell(value))}</dd>"
                    for key, value in machine.items())
    return f"<dl>{terms}</dl>" if terms else ""


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks page", description="Write index.html of the NAME.json in a folder: on a workstation "
        "with matplotlib, of what a device measured.", epilog="example: python -m benchmarks page results")
    parser.add_argument("folder", type=Path, metavar="DIR", help="what --out was given")
    args = parser.parse_args(argv)
    if not args.folder.is_dir():
        parser.error(f"{args.folder} is no folder")
    if not plots.available():
        print("benchmarks: tables only; plots need pip install 'roomtone[bench]'", file=sys.stderr)
    print(write(args.folder))
    return 0
