"""What a device does over and over, marked for count.c: prints each part's name, which the marks on stderr follow.

Run under qemu with the plugin by emulate.sh; `python3 counted.py --table STDOUT STDERR` makes a table of what it wrote.
"""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

MARK = 0x70000000
REPEATS = 5
ENGINES = {"litert": "LiteRT", "onnx": "onnxruntime"}


def main() -> None:
    for number, (name, work) in enumerate(parts().items()):
        work()
        print(name, flush=True)
        mark(number)
        for _ in range(REPEATS):
            work()
        mark(number)


def mark(number: int) -> None:
    with suppress(OSError):  # no such process, as meant
        os.getpgid(MARK + number)


def parts() -> dict[str, Callable[[], object]]:
    import numpy as np

    from edge.audio.constants import load_constants
    from edge.audio.mfcc import StreamingMfcc
    from edge.bundle import open_bundle
    from edge.catalog.snapshot import open_snapshot
    from edge.engine.open import open_engine

    bundle, snapshot = open_bundle(), open_snapshot()
    model = bundle.model("audio")
    mfcc = StreamingMfcc(load_constants(model.folder / model.frontend["constants"], model.frontend))
    sound = (np.arange(16000, dtype=np.uint32) * 2654435761 >> 20).astype(np.int16) - 2048
    blocks = np.split(sound, range(1280, len(sound), 1280))
    found: dict[str, Callable[[], object]] = {
        "MFCC of a second, 80 ms blocks": lambda: [mfcc.push(block) for block in blocks]}
    for kind in ("audio", "video"):
        for runtime, name in ENGINES.items():
            engine = open_engine(runtime, bundle.model(kind).file(runtime), threads=1)
            stored = np.zeros(engine.input.shape, np.int8)
            found[f"{kind} model, {name}"] = lambda engine=engine, stored=stored: engine.run(stored)
    view = snapshot.views["audio"]
    query = np.full(view.dimension, 0.125, np.float32)
    found[f"search of {len(snapshot.items)} items"] = lambda: view.search(query, 10)
    return found


def table(names: Path, marks: Path) -> str:
    """Markdown: millions of instructions of each part, and how many of them are SIMD or floating point."""
    totals: dict[int, list[tuple[int, int]]] = {}
    for line in marks.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("instructions "):
            number, every, simd = map(int, line.split()[1:])
            totals.setdefault(number, []).append((every, simd))
    lines = ["| | million instructions | of them SIMD or floating point |", "|---|---:|---:|"]
    for number, name in enumerate(names.read_text(encoding="utf-8").splitlines()):
        (from_all, from_simd), (to_all, to_simd) = totals[number]
        spent = (to_all - from_all) / REPEATS
        lines.append(f"| {name} | {spent / 1e6:.2f} | {(to_simd - from_simd) / (to_all - from_all):.0%} |")
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--table"]:
        print(table(Path(sys.argv[2]), Path(sys.argv[3])))
    else:
        main()
