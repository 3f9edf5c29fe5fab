"""The memory budget: a plan of bytes per part before anything starts, and a meter of what is really used.

The plan counts whole pages, shared or not: on a device nothing else runs the same libraries, and the proportional set
size, which the budget is about, becomes that. Each constant is what one part added to the process in
``python -m benchmarks memory`` on x86-64 (Python 3.11, numpy 2.4, ai-edge-litert 2.3, onnxruntime 1.32, OpenCV 5),
after the pages that only loading touched were given back (edge/loaded.py), rounded up; that benchmark measures all of
them again, on any machine, beside the plan.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import BudgetError
from edge.firmware import MIB, FirmwareProfile
from edge.usage import pss_by_part

if TYPE_CHECKING:
    from edge.bundle import Bundle
    from edge.catalog.snapshot import Snapshot

PYTHON_BYTES = 20 * MIB
"""The interpreter, numpy, libcrypto, Roomtone's modules, with PYTHONOPTIMIZE=2 as in the unit; without, 3 more."""
HTTP_BYTES = 12 * MIB
"""asyncio, starlette, uvicorn, sqlite3."""
RUNTIME_BYTES = {"litert": 6 * MIB, "onnx": 20 * MIB}
"""The library, and those of its kernels that a first model touches. tflite-runtime takes less, its numpy 1 more."""
COPIES_OF_MODEL = {"litert": 2.0, "onnx": 2.5}
"""The file, mapped or read, and its weights packed for the kernels."""
ARENA_PER_INPUT_BYTE = 24
"""A model's activations, as a multiple of its int8 input: 16 for the audio student, 22 for EfficientNet-Lite0."""
FRONT_END_BYTES = 2 * MIB
"""Blocks, frames and windows of sound."""
MICROPHONE_BYTES = 5 * MIB
"""PortAudio, which links JACK, ALSA and the plug-in of a sound server."""
OPENCV_BYTES = 20 * MIB
"""OpenCV and as much of FFmpeg as decoding H.264 touches."""
PICTURE_PIXELS = 1280 * 720
"""The largest picture that the plan covers."""
BYTES_PER_PIXEL = 34
"""A decoder on two threads holds some ten pictures, OpenCV one in BGR, Roomtone one in RGB: 33 for H.264 at 1080p."""
CATALOGUE_BYTES = 10 * MIB
"""SQLite and its cache, the code of the searches, their buffers."""
ITEM_BYTES = 48
"""Masks, groups and scores of the recommender, for each item: 24 all the time, as many for a moment."""
READ_NOT_MAPPED = ("vectors", "labels", "lists")
"""Arrays of an indexed view of windows that are read by the list and by the recording."""
MOST_OF_CATALOGUE = 0.75
"""A catalogue cut by more is no longer the catalogue; another part is to shrink then."""
MARGIN_BYTES = 3 * MIB
"""Threads' stacks, what the allocator does not give back."""


@dataclass(frozen=True)
class Plan:
    """Bytes that each part will need, and what the profile allows."""

    parts: dict[str, int]
    profile: FirmwareProfile
    items: int

    @property
    def total_bytes(self) -> int:
        return sum(self.parts.values())

    @property
    def budget_bytes(self) -> int:
        return self.profile.memory.budget_bytes

    def check(self) -> None:
        """Raises BudgetError naming the part that should shrink, by how many bytes, and the key that does it."""
        allowed = self.profile.catalog.max_items
        if self.items > allowed:
            raise BudgetError(f"the catalogue has {self.items} items and the profile {self.profile.name} allows "
                              f"catalog.max_items = {allowed}: build a smaller one, or raise that key")
        over = self.total_bytes - self.budget_bytes
        if over > 0:
            raise BudgetError(
                f"the plan needs {_mib(self.total_bytes)} and the profile {self.profile.name} allows "
                f"{_mib(self.budget_bytes)}: {self._remedy(over)}, or raise memory.budget_mib to "
                f"{math.ceil(self.total_bytes / MIB)}")

    def _remedy(self, over: int) -> str:
        """The mildest single change that is enough; where none is, the one that saves most."""
        changes = list(self._changes(over))
        enough = (change for change in changes if change.saved_bytes >= over)
        change = next(enough, max(changes, key=lambda change: change.saved_bytes))
        return (f"shrink {change.part} ({_mib(self.parts[change.part])}) by {_mib(min(over, change.saved_bytes))} "
                f"with {change.setting}")

    def _changes(self, over: int) -> Iterator[Change]:
        """What could be given up, mildest first."""
        runtime = self.parts.get("runtime", 0) - RUNTIME_BYTES["litert"]
        if runtime > 0:
            yield Change("runtime", runtime, 'engine.runtime = "litert"')
        by_item = self.parts["catalogue"] - CATALOGUE_BYTES
        if over < MOST_OF_CATALOGUE * by_item:
            items = int(self.items * (1 - over / by_item))
            yield Change("catalogue", over, f"catalog.max_items = {items} and a catalogue of so many")
        for sense in ("video", "audio"):
            if f"{sense}_input" in self.parts:
                saved = self.parts[f"{sense}_model"] + self.parts[f"{sense}_input"]
                yield Change(f"{sense}_input", saved, f"{sense}.enabled = false")
        yield Change("catalogue", by_item, "catalog.max_items = 1 and a catalogue of so many")


@dataclass(frozen=True)
class Change:
    """A way to a smaller plan."""

    part: str
    saved_bytes: int
    setting: str


def plan(profile: FirmwareProfile, bundle: Bundle, snapshot: Snapshot, *, runtime: str | None = None) -> Plan:
    """What a daemon of this profile, bundle and snapshot will need at most; nothing is loaded for it.

    ``runtime``: in place of the profile's. ``Plan.check`` raises BudgetError when it is too much.
    """
    runtime = runtime or profile.engine.runtime
    parts = fixed_parts(profile, runtime)
    for sense in ("audio", "video"):
        if getattr(profile, sense).enabled:
            parts[f"{sense}_model"] = _model_bytes(bundle, sense, runtime)
    parts["catalogue"] = _catalogue_bytes(snapshot)
    return Plan(parts, profile, len(snapshot.items))


def fixed_parts(profile: FirmwareProfile, runtime: str) -> dict[str, int]:
    """The parts of a plan that no bundle and no catalogue changes."""
    parts = {"python": PYTHON_BYTES, "http": HTTP_BYTES, "margin": MARGIN_BYTES}
    if profile.audio.enabled or profile.video.enabled:
        parts["runtime"] = RUNTIME_BYTES[runtime]
    if profile.audio.enabled:
        parts["audio_input"] = FRONT_END_BYTES + MICROPHONE_BYTES
    if profile.video.enabled:
        parts["video_input"] = OPENCV_BYTES + PICTURE_PIXELS * BYTES_PER_PIXEL
    return parts


def _model_bytes(bundle: Bundle, kind: str, runtime: str) -> int:
    if kind not in bundle.models:
        return 0
    model = bundle.models[kind]
    file_bytes = model.file(runtime).stat().st_size
    return int(COPIES_OF_MODEL[runtime] * file_bytes) + ARENA_PER_INPUT_BYTE * math.prod(model.input_shape)


def _catalogue_bytes(snapshot: Snapshot) -> int:
    """Vectors and columns are mapped and, list by list, looked at in full; the windows of an indexed view are not."""
    sizes = {path.name: path.stat().st_size for path in snapshot.path.glob("*.npy")}
    arrays = sum(sizes.values())
    for view in (snapshot.recordings, snapshot.shots):
        if view is not None and f"{view.name}.lists.npy" in sizes:
            arrays -= sum(sizes[f"{view.name}.{file}.npy"] for file in READ_NOT_MAPPED)
    return CATALOGUE_BYTES + arrays + ITEM_BYTES * len(snapshot.items)


REPORT_FOR_S, PARTS_FOR_S = 1.0, 5.0
"""How long a report, and the memory by part in it, is taken for true: to ask the kernel takes 1 and 20 ms."""


class Meter:
    """What the process uses now, beside what it was allowed. Used by any number of threads."""

    def __init__(self, allowed: Plan, *, folders: Mapping[str, Path] | None = None):
        """``folders``: parts whose mapped files lie in a folder of their own, for ``pss_by_part_bytes``."""
        self._plan, self._folders = allowed, dict(folders or {})
        self._parts: dict[str, int] = {}
        self._report: dict[str, Any] = {}
        self._parts_until_s = self._report_until_s = 0.0
        self._lock = threading.Lock()

    def report(self) -> dict[str, Any]:
        """What ``measure`` says, with ``budget_bytes``, and ``plan_bytes`` and ``pss_by_part_bytes`` by part."""
        with self._lock:
            if time.monotonic() >= self._parts_until_s:
                self._parts = pss_by_part(self._folders)
                self._parts_until_s = time.monotonic() + PARTS_FOR_S
            if time.monotonic() >= self._report_until_s:
                self._report = {**measure(), "budget_bytes": self._plan.budget_bytes,
                                "plan_bytes": dict(self._plan.parts), "pss_by_part_bytes": dict(self._parts)}
                self._report_until_s = time.monotonic() + REPORT_FOR_S
            return dict(self._report)


def measure() -> dict[str, int]:
    """This process's memory, in bytes, from Linux's /proc/self.

    ``pss_bytes``: the proportional set size, shared pages counted in shares. ``anonymous_bytes``: what no file backs
    and only swapping could take back. ``resident_bytes``: everything, shared pages counted in full: what the
    proportional size becomes where nothing else runs the same libraries. ``peak_bytes``: the largest that
    ``resident_bytes`` has been.
    """
    return measured(Path("/proc/self"))


def measured(process: Path) -> dict[str, int]:
    """``measure`` for a process by its folder in /proc; zeros where the kernel does not say."""
    sizes = _sizes(process / "status")
    resident = sizes.get("VmRSS", 0)
    rollup = _sizes(process / "smaps_rollup")
    return {
        "pss_bytes": rollup.get("Pss", resident),
        "anonymous_bytes": rollup.get("Anonymous", sizes.get("RssAnon", 0)),
        "resident_bytes": resident,
        "peak_bytes": sizes.get("VmHWM", resident),
    }


def _sizes(path: Path) -> dict[str, int]:
    """The lines ``Name:  123 kB`` of a file of /proc, in bytes; none where the kernel does not have the file."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    rows = (line.replace(":", " ").split() for line in lines)
    return {row[0]: int(row[1]) << 10 for row in rows if len(row) == 3 and row[2] == "kB"}


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / MIB:.1f} MiB"
