"""The memory budget: a plan of bytes per part before anything starts, and a meter of what is really used.

The plan's constants are proportional set sizes measured on x86-64 with numpy 2.4, ai-edge-litert 2.3, onnxruntime
1.32 and OpenCV 5 (benchmarks/memory.py measures them again, on any machine).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import BudgetError
from edge.firmware import MIB, FirmwareProfile

if TYPE_CHECKING:
    from edge.bundle import Bundle
    from edge.catalog.snapshot import Snapshot

PYTHON_AND_NUMPY_BYTES = 19 * MIB
RUNTIME_BYTES = {"litert": 10 * MIB, "onnx": 22 * MIB}
HTTP_BYTES = 15 * MIB
"""asyncio, starlette and uvicorn."""
MICROPHONE_BYTES = 8 * MIB
"""PortAudio with ALSA's plugins; 20 MiB where they pull libavcodec in."""
OPENCV_BYTES = 17 * MIB
FAISS_BYTES = 15 * MIB
ARENA_PER_INPUT_BYTE = 24
"""A model's activations, as a multiple of its int8 input: 16 for the audio student, 22 for EfficientNet-Lite0."""
COPIES_OF_MODEL = 2
"""The runtimes keep the file and weights repacked for their kernels."""
AUDIO_BUFFER_BYTES = 1 * MIB
VIDEO_BUFFER_BYTES = 8 * MIB
"""A 1080p picture, once as it is decoded and once in RGB, is 12 MB; most sources are smaller."""
ITEM_BYTES = 96
"""Per item: masks, groups and scores of the recommender, SQLite's cache."""
KEYS = {"video": "video.enabled = false", "catalogue": "a smaller catalogue", "runtime": "engine.runtime = \"litert\""}


@dataclass(frozen=True)
class Plan:
    """Bytes that each part will need."""

    parts: dict[str, int]
    budget_bytes: int

    @property
    def total_bytes(self) -> int:
        return sum(self.parts.values())

    def check(self) -> None:
        """Raises BudgetError naming the largest part that can shrink, by how much, and how."""
        over = self.total_bytes - self.budget_bytes
        if over <= 0:
            return
        part = max((name for name in KEYS if name in self.parts), key=lambda name: self.parts[name])
        raise BudgetError(
            f"the plan needs {_mib(self.total_bytes)} and the profile allows {_mib(self.budget_bytes)}: shrink "
            f"{part} ({_mib(self.parts[part])}) by {_mib(over)}, for example with {KEYS[part]}, "
            "or raise memory.budget_mib")


def plan(profile: FirmwareProfile, bundle: Bundle, snapshot: Snapshot, *, runtime: str | None = None) -> Plan:
    """What a daemon of this profile, bundle and snapshot will need; checked by ``Plan.check``."""
    runtime = runtime or profile.engine.runtime
    parts = {"python": PYTHON_AND_NUMPY_BYTES, "http": HTTP_BYTES, "runtime": RUNTIME_BYTES[runtime]}
    if profile.audio.enabled:
        parts["audio"] = MICROPHONE_BYTES + AUDIO_BUFFER_BYTES + _model_bytes(bundle, "audio", runtime)
    if profile.video.enabled:
        parts["video"] = OPENCV_BYTES + VIDEO_BUFFER_BYTES + _model_bytes(bundle, "video", runtime)
    parts["catalogue"] = _catalogue_bytes(snapshot)
    return Plan(parts, profile.memory.budget_bytes)


def _model_bytes(bundle: Bundle, kind: str, runtime: str) -> int:
    if kind not in bundle.models:
        return 0
    model = bundle.models[kind]
    inputs = 1
    for size in model.input_shape:
        inputs *= size
    return COPIES_OF_MODEL * model.file(runtime).stat().st_size + ARENA_PER_INPUT_BYTE * inputs


def _catalogue_bytes(snapshot: Snapshot) -> int:
    indexed = any((snapshot.path / f"{view}.faiss").is_file() for view in snapshot.views)
    exact = sum((snapshot.path / f"{view}.vectors.npy").stat().st_size for view in snapshot.views
                if not (snapshot.path / f"{view}.faiss").is_file())
    if snapshot.recordings is not None:
        exact += (snapshot.path / f"{snapshot.recordings.name}.vectors.npy").stat().st_size
    return exact + len(snapshot.items) * ITEM_BYTES + (FAISS_BYTES if indexed else 0)


class Meter:
    """What the process uses now, beside what it was allowed."""

    def __init__(self, allowed: Plan):
        self._plan = allowed

    def report(self) -> dict[str, Any]:
        """``pss_bytes``, ``anonymous_bytes``, ``budget_bytes`` and ``plan_bytes`` by part."""
        return {**measure(), "budget_bytes": self._plan.budget_bytes, "plan_bytes": dict(self._plan.parts)}


def measure() -> dict[str, int]:
    """Proportional and anonymous set size of this process, from Linux's /proc/self/smaps_rollup."""
    try:
        lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return {"pss_bytes": 0, "anonymous_bytes": 0}
    sizes = {name: int(rest.split()[0]) << 10 for name, _, rest in (line.partition(":") for line in lines[1:]) if rest}
    return {"pss_bytes": sizes.get("Pss", 0), "anonymous_bytes": sizes.get("Anonymous", 0)}


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / MIB:.1f} MiB"
