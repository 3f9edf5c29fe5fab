"""What a benchmark gives back, and how it is written down: rows of figures, as JSON and as a Markdown table."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Figure = float | int | str | None


@dataclass(frozen=True)
class Row:
    """One line of a table: what was measured and what came out.

    The keys of ``figures`` carry their unit (``median_ms``, ``pss_mb``, ``ratio``); None means not measured,
    and ``note`` then says why. Rows of one benchmark may have different figures.
    """

    name: str
    figures: dict[str, Figure]
    note: str = ""


@dataclass(frozen=True)
class Report:
    """The outcome of one script on one machine."""

    name: str
    question: str
    machine: dict[str, Any]
    rows: list[Row] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        return asdict(self)

    def markdown(self) -> str:
        machine = "".join(f"- {key}: {cell(value)}\n" for key, value in self.machine.items())
        return f"# {self.name}: {self.question}\n\n{table(self.rows)}\n{machine}"

    def write(self, folder: Path) -> None:
        """Write ``NAME.json`` and ``NAME.md`` into ``folder``, which is made when missing."""
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.document(), indent=1, ensure_ascii=False)
        (folder / f"{self.name}.json").write_text(text + "\n", encoding="utf-8")
        (folder / f"{self.name}.md").write_text(self.markdown(), encoding="utf-8")


def table(rows: list[Row]) -> str:
    """A Markdown table."""
    keys = columns(rows)
    noted = any(row.note for row in rows)
    head = ["", *(key.replace("_", " ") for key in keys), *(["note"] if noted else [])]
    lines = [head, ["---"] + ["---:"] * len(keys) + ["---"] * noted]
    for row in rows:
        cells = [cell(row.figures.get(key)) for key in keys]
        lines.append([row.name, *cells, *([row.note] if noted else [])])
    return "".join("| " + " | ".join(text.replace("|", "\\|") for text in line) + " |\n" for line in lines)


def columns(rows: list[Row]) -> list[str]:
    """The figures of all rows, in order of appearance."""
    return list(dict.fromkeys(key for row in rows for key in row.figures))


def cell(value: Any) -> str:
    """A figure as people read it: three digits."""
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {cell(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return " ".join(map(cell, value))
    return "" if value is None else str(value)
