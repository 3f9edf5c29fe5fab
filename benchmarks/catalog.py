"""What does a catalogue cost to write, to open and to ask, by its size?"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.process import json_from_python
from benchmarks.report import Row
from benchmarks.synthetic import audio_spectrum, draw
from edge.bundle import open_bundle
from edge.catalog.items import Item
from edge.firmware import MIB, FirmwareProfile
from export.catalog.writer import SnapshotWriter, ViewSpec

SIZES = (1_000, 100_000)
WINDOWS = 40
"""Windows of a recording: a minute and a half, every two seconds and a bit."""
WORDS = ("river", "stone", "winter", "light", "shadow", "morning", "silver", "garden", "thunder", "paper", "window",
         "silence", "harbour", "copper", "meadow", "velvet", "lantern", "orchard", "compass", "ember")


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """Synthetic items with real lengths of titles and names, one audio vector and 40 windows each.

    Opened and asked in a process of its own. ``open_ms`` reads and hashes every byte, from the page cache;
    ``resident_mib`` and ``anonymous_mib`` are what opening and 200 questions of each kind added to the process.
    """
    return [_of_size(size) for size in SIZES]


def _of_size(size: int) -> Row:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "catalog"
        began_s = time.perf_counter()
        write(folder, size)
        build_s = time.perf_counter() - began_s
        size_bytes = sum(path.stat().st_size for path in folder.iterdir())
        asked = json_from_python("-m", "benchmarks.asked", str(folder))
    return Row(f"{size:,} items", {"build_s": build_s, "size_mib": size_bytes / MIB, **asked})


def write(folder: Path, size: int, *, windows: int = WINDOWS) -> None:
    """A synthetic snapshot in the default bundle's spaces; a twentieth of the items share an artist."""
    random, audio, spaces = np.random.default_rng(size), draw(audio_spectrum(), size), open_bundle().spaces()
    views = {view: ViewSpec(spaces[view], 64, windows=view == "recording")
             for view in (("audio", "recording") if windows else ("audio",))}
    with SnapshotWriter(folder, views, name=f"synthetic-{size}", version="1") as writer:
        for number in range(size):
            heard = {"recording": audio[number] + random.normal(0, 12, (windows, 64))} if windows else {}
            writer.add(item_of(number, size, random), {"audio": audio[number], **heard})
        writer.finish()


def item_of(number: int, size: int, random: np.random.Generator) -> Item:
    title = " ".join(random.choice(WORDS, 3)).title()
    artist = f"{WORDS[number % len(WORDS)].title()} {number % max(1, size // 20)}"
    return Item(row=0, item=f"track:synthetic/{number:07d}", kind="track", title=f"{title} {number}", artist=artist,
                album=f"Album {number // 10}", genre=WORDS[number % 7], year=1960 + number % 65, duration_s=200.0,
                licence="CC-BY-4.0", source="synthetic", popularity=number / size, added_s=1.7e9 + number)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.catalog", description="Write a synthetic catalogue.",
                                     epilog="example: python -m benchmarks.catalog /tmp/large 100000 40")
    parser.add_argument("folder", type=Path)
    parser.add_argument("items", type=int)
    parser.add_argument("windows", type=int, nargs="?", default=WINDOWS,
                        help="of each recording (default: %(default)s)")
    options = parser.parse_args()
    write(options.folder, options.items, windows=options.windows)


if __name__ == "__main__":
    main()
