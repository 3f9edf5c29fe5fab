"""What the process costs: its memory by part, its share of a processor."""

import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

SMAPS = Path("/proc/self/smaps")
PLACES = {
    "numpy": ("/numpy", "/scipy_openblas"),
    "runtime": ("/ai_edge_litert", "/tflite_runtime", "/onnxruntime"),
    "opencv": ("/cv2", "/opencv"),
    "decoders": ("/av/", "/av.libs", "libav", "libsw", "libsndfile", "_soundfile", "/soxr"),
    "microphone": ("portaudio", "libasound", "libpulse", "libpipewire", "libjack"),
}
"""Part to what its files' paths contain; the first that fits counts."""
HEAP, LIBRARIES = "heap", "python"
_HEADER = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+ *(.*)$")


def pss_by_part(folders: Mapping[str, Path]) -> dict[str, int]:
    """The proportional set size in bytes by what it is for, largest first; the values add up to the whole.

    ``folders`` names parts whose files lie in a folder of their own, as the bundle and the snapshot. What no file backs
    is ``heap`` (arrays, models' arenas, Python's objects); files of no other part, the interpreter's and the system's
    libraries, are ``python``. Empty where the kernel does not tell.
    """
    places = {**{part: (f"{folder.resolve()}/",) for part, folder in folders.items()}, **PLACES}
    try:
        with SMAPS.open(encoding="utf-8", errors="replace") as lines:
            return dict(_sum(lines, places).most_common())
    except OSError:
        return {}


def _sum(lines: Iterable[str], places: Mapping[str, tuple[str, ...]]) -> Counter[str]:
    found: Counter[str] = Counter()
    part = HEAP
    for line in lines:
        if line.startswith("Pss:"):
            found[part] += int(line.split()[1]) << 10
        elif header := _HEADER.match(line):
            part = _part(header[1], places)
    return found


def _part(path: str, places: Mapping[str, tuple[str, ...]]) -> str:
    if not path.startswith("/"):
        return HEAP
    return next((part for part, marks in places.items() if any(mark in path for mark in marks)), LIBRARIES)


class CpuMeter:
    """How much of one processor core the process used between the last two looks."""

    def __init__(self) -> None:
        self._at = time.monotonic(), time.process_time()
        self.percent = 0.0
        """100 is one core."""

    def look(self) -> None:
        before, self._at = self._at, (time.monotonic(), time.process_time())
        elapsed_s = self._at[0] - before[0]
        if elapsed_s > 0:
            self.percent = round(100 * (self._at[1] - before[1]) / elapsed_s, 1)
