"""What do the default models lose by being int8, and what does exporting them take?"""

import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report import Figure, Row
from edge.errors import RoomtoneError
from edge.firmware import FirmwareProfile

if TYPE_CHECKING:
    from export.quantize.report import Report

CACHE_VARIABLE = "ROOMTONE_CACHE"
"""Where ``make assets`` keeps the packages that the models, music and pictures come from."""


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """Exports both default models again, from real weights, judged on music and pictures that calibration did not see.

    ``ratio`` is LiteRT's int8 time over onnxruntime's float32 time.
    """
    try:
        from export.data.fetch import DEFAULT_CACHE
        from export.models.bundle import export_hearing, export_seeing
        from export.training.hearing import load_hearing
        from export.training.recipe import Studio
    except ImportError as error:
        return [Row("export", {}, note=f"needs pip install 'roomtone[export]': {error}")]
    cache = Path(os.environ.get(CACHE_VARIABLE, DEFAULT_CACHE))
    if not cache.is_dir():
        return [Row("export", {}, note=f"{cache} is not there: run `make assets` once, or set {CACHE_VARIABLE}")]
    from export.data.recipes import load_packages

    packages = load_packages()
    return [
        *_rows("audio", lambda out: export_hearing(Studio(packages, cache), load_hearing(), out)),
        *_rows("video", lambda out: export_seeing(packages, cache, out)),
    ]


def _rows(kind: str, export: Callable[[Path], "Report"]) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        began_s = time.perf_counter()
        try:
            report = export(Path(folder) / "bundle")
        except RoomtoneError as error:
            return [Row(kind, {}, note=str(error))]
        took_s = time.perf_counter() - began_s
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    ratio = report.latency["litert"]["int8_ms"] / report.latency["onnx"]["float_ms"]
    whole: dict[str, Figure] = {
        "export_s": took_s, "peak_mb": peak_mb, "ratio": ratio, "float_layers": len(report.float_layers)}
    agreement = [
        Row(f"{kind}, {view}, {where}", {name: f"{value:.4f}" for name, value in found.items()})
        for where in ("litert", "onnx", "formats") for view, found in report.parity[where].items()]
    sizes = [Row(f"{kind}.{suffix}", {"bytes": size}) for suffix, size in report.sizes_bytes.items()]
    return [Row(kind, whole), *agreement, *sizes]
