"""Opens a snapshot, asks it, and prints what that took, as JSON: the child process of benchmarks/catalog.py."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge.catalog.snapshot import open_snapshot

QUESTIONS = 200


def main(folder: str) -> None:
    before = _memory_kib()
    began_s = time.perf_counter()
    with open_snapshot(folder) as snapshot:
        figures = {"open_ms": (time.perf_counter() - began_s) * 1e3}
        rows = np.random.default_rng(0).integers(0, len(snapshot.items), QUESTIONS)
        vectors, _ = snapshot.views["audio"].vectors(rows)
        titles = [snapshot.items.by_row(row).title for row in rows.tolist()]
        figures["view_ms"] = median_ms(lambda n: snapshot.views["audio"].search(vectors[n], 10))
        figures["words_ms"] = median_ms(lambda n: snapshot.items.search(titles[n], 10))
        figures["item_ms"] = median_ms(lambda n: snapshot.items.by_row(int(rows[n])))
        if snapshot.recordings is not None:
            match = snapshot.recordings.match
            figures["match_ms"] = median_ms(lambda n: match(vectors[n % 20 : n % 20 + 8], 2))
        after = _memory_kib()
    figures |= {f"{name}_mib": (after[key] - before[key]) / 1024
                for name, key in (("resident", "Rss"), ("anonymous", "Anonymous"))}
    print(json.dumps(figures))


def median_ms(ask: Callable[[int], object], questions: int = QUESTIONS) -> float:
    spent_s = []
    for number in range(questions):
        began_s = time.perf_counter()
        ask(number)
        spent_s.append(time.perf_counter() - began_s)
    return float(np.median(spent_s)) * 1e3


def _memory_kib() -> dict[str, int]:
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    return {key.rstrip(":"): int(value) for key, value, *_ in map(str.split, lines)}


if __name__ == "__main__":
    main(sys.argv[1])
