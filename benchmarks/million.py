"""What does a catalogue of a million cost to build, to open, to ask and to swap, and how does that grow?"""

import math
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.process import json_from_python, run_python
from benchmarks.report import Row
from edge.catalog.snapshot import open_snapshot
from edge.firmware import MIB, FirmwareProfile

SIZES = (1_000, 10_000, 100_000, 1_000_000)
SWAPS = 5


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """Vectors as benchmarks/synthetic.py says, one view, texts of real lengths; built and asked in their own processes.

    ``first_open_ms`` hashes every byte, ``open_ms`` finds them in the record of what was verified. ``half_`` and
    ``hundredth_``: with a filter that leaves so many items. ``growth``: the exponent of the search time from size to
    size. The last row opens and swaps while a thread asks.
    """
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        for size in SIZES:
            folder = Path(scratch) / f"catalog-{size}"
            rows.append(_of_size(folder, size, rows[-1] if rows else None))
        rows.append(_swap(folder))
    return rows


def _of_size(folder: Path, size: int, before: Any | None) -> Row:
    built = run_python("-m", "benchmarks.million", str(folder), str(size))
    figures = {"build_s": built.wall_s, "build_peak_mib": built.peak_bytes / MIB,
               "size_mib": sum(path.stat().st_size for path in folder.iterdir()) / MIB,
               **json_from_python("-m", "benchmarks.asked_million", str(folder))}
    if before is not None:
        figures["growth"] = math.log10(figures["search_ms"] / before.figures["search_ms"])
    return Row(f"{size:,} items", figures)


def _swap(folder: Path) -> Row:
    """A thread asks while the same files are opened anew, hashed in full, and put in the snapshot's place."""
    failed: list[str] = []
    asked_ms: list[float] = []
    current = [open_snapshot(folder)]
    done = threading.Event()

    def ask() -> None:
        random, dimension = np.random.default_rng(0), current[0].views["audio"].dimension
        while not done.is_set():
            began_s = time.perf_counter()
            try:
                snapshot = current[0]
                query = random.standard_normal((dimension,), np.float32)
                rows, _ = snapshot.views["audio"].search(query, 10)
                snapshot.items.by_rows(rows.tolist())
            except Exception as error:
                failed.append(str(error))
            asked_ms.append((time.perf_counter() - began_s) * 1e3)

    reader = threading.Thread(target=ask)
    reader.start()
    opened = [current[0]]
    for _ in range(SWAPS):
        opened.append(open_snapshot(folder))
        current[0] = opened[-1]
        time.sleep(0.2)
    done.set()
    reader.join()
    for snapshot in opened:
        snapshot.close()
    return Row(f"{SWAPS} swaps under load", {
        "asked": len(asked_ms), "failed": len(failed), "median_ms": statistics.median(asked_ms),
        "worst_ms": max(asked_ms)}, note=failed[0] if failed else "")


if __name__ == "__main__":
    from benchmarks.synthetic import write_catalog

    write_catalog(Path(sys.argv[1]), int(sys.argv[2]))
