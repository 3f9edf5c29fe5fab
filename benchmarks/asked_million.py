"""Opens a large snapshot, asks it with and without filters, and prints what that took, as JSON: a child process."""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.asked import median_ms
from edge import manifest
from edge.catalog.index import ExactIndex
from edge.catalog.snapshot import Snapshot, open_snapshot
from edge.context import unit
from edge.memory import measure
from edge.verified import SETTLED_S, Verified

QUESTIONS, NEIGHBOURS, OPENED = 300, 10, 5
ALLOWED = {"": 1.0, "half_": 0.5, "hundredth_": 0.01}
"""Figure's prefix to the share of items that its filter leaves."""


def main(folder: str) -> None:
    """Memory is what came on top of numpy and Roomtone's code, read before the exact search that gives the recall.

    The filters are made before: they are the caller's, and what making them leaves in the heap too.
    """
    count = json.loads((Path(folder) / manifest.FILE_NAME).read_text(encoding="utf-8"))["items"]
    masks = {name: _allowed(count, share) for name, share in ALLOWED.items()}
    before = measure()
    figures: dict[str, float] = {"first_open_ms": _open_ms(folder, None)}
    with tempfile.TemporaryDirectory() as state:
        record = Verified(Path(state) / "verified.json")
        time.sleep(SETTLED_S)
        _open_ms(folder, record)
        figures["open_ms"] = float(np.median([_open_ms(folder, record) for _ in range(OPENED)]))
    with open_snapshot(folder) as snapshot:
        vectors, titles = _questions(snapshot)
        answers = {name: _ask(snapshot, vectors, name, mask, figures) for name, mask in masks.items()}
        figures["words_ms"] = median_ms(lambda n: snapshot.items.search(titles[n], NEIGHBOURS), QUESTIONS)
        after = measure()
        figures |= {f"{name}_mib": (after[f"{name}_bytes"] - before[f"{name}_bytes"]) / (1 << 20)
                    for name in ("anonymous", "resident")}
        for name, found in answers.items():
            figures[f"{name}recall"] = _recall(snapshot, vectors, masks[name], found)
    print(json.dumps(figures))


def _open_ms(folder: str, record: Verified | None) -> float:
    began_s = time.perf_counter()
    with open_snapshot(folder, verified=record):
        return (time.perf_counter() - began_s) * 1e3


def _questions(snapshot: Snapshot) -> tuple[np.ndarray, list[str]]:
    """Queries near items but none of them, each some way from one to another, and titles to look for.

    They are not those by which the writer measures how many lists are enough.
    """
    first, second = np.random.default_rng(3).integers(0, len(snapshot.items), (2, QUESTIONS))
    view = snapshot.views["audio"]
    queries = unit(view.vectors(first)[0] + np.float32(0.5) * view.vectors(second)[0])
    return queries, [snapshot.items.by_row(row).title for row in first.tolist()]


def _allowed(count: int, share: float) -> np.ndarray | None:
    return None if share == 1 else np.random.default_rng(0).random(count, np.float32) < share


def _ask(snapshot: Snapshot, vectors: np.ndarray, name: str, allowed: np.ndarray | None,
         figures: dict[str, float]) -> list[Any]:
    view = snapshot.views["audio"]
    figures[f"{name}search_ms"] = median_ms(lambda n: view.search(vectors[n], NEIGHBOURS, allowed=allowed), QUESTIONS)
    return [view.search(vector, NEIGHBOURS, allowed=allowed)[0].tolist() for vector in vectors]


def _recall(snapshot: Snapshot, vectors: np.ndarray, allowed: np.ndarray | None, found: list[list[int]]) -> float:
    rows = np.arange(len(snapshot.items))
    stored = np.concatenate([np.rint(snapshot.views["audio"].vectors(part)[0] * 127).astype(np.int8)
                             for part in np.array_split(rows, max(1, len(rows) // 65536))])
    exact = ExactIndex(stored)
    right = [set(exact.search(vector, NEIGHBOURS, allowed)[0].tolist()) for vector in vectors]
    return sum(len(set(a) & b) for a, b in zip(found, right, strict=True)) / sum(map(len, right))


if __name__ == "__main__":
    main(sys.argv[1])
