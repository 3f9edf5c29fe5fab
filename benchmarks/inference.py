"""How long does one inference take, per model, format and engine?"""

import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks.environments import python_of
from benchmarks.float_models import write_float_model
from benchmarks.remote import Remote
from benchmarks.report import Figure, Row
from benchmarks.timing import Timing, Work, interleave
from edge.bundle import Model, open_bundle
from edge.engine.base import Engine
from edge.engine.open import RUNTIMES, open_engine
from edge.errors import RoomtoneError, RuntimeMissingError
from edge.firmware import FirmwareProfile

REPEATS = {"audio": 500, "video": 100}
FLOAT32 = "float32, onnxruntime"


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """``ratio`` is the median over that of onnxruntime's float32 (``peers``), else over that of the slowest row.

    ``cpu_ratio`` is the same of the CPU times: on a busy machine and with one thread the more exact one.
    """
    bundle = open_bundle()
    return [row for kind, model in bundle.models.items() if kind in REPEATS for row in _rows(model, profile, peers)]


def _rows(model: Model, profile: FirmwareProfile, peers: bool) -> list[Row]:
    rows: list[Row] = []
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        cases: dict[str, Work] = {}
        for runtime in RUNTIMES:
            try:
                engine = stack.enter_context(
                    open_engine(runtime, model.file(runtime), threads=profile.engine.threads))
            except RuntimeMissingError as error:
                rows.append(_missing(f"{model.kind}, int8, {runtime}", str(error)))
                continue
            cases[f"int8, {engine.version}"] = _int8_case(engine)
        for name, make in PEERS.items() if peers else ():
            try:
                cases[name] = make(model, profile.engine.threads, stack, Path(folder))
            except (RoomtoneError, ImportError) as error:
                rows.append(_missing(f"{model.kind}, {name}", str(error)))
        timings = interleave(cases, repeats=REPEATS[model.kind])
    return [_row(model.kind, name, timing, timings) for name, timing in timings.items()] + rows


def _row(kind: str, name: str, timing: Timing, timings: dict[str, Timing]) -> Row:
    reference = timings.get(FLOAT32) or max(timings.values(), key=lambda other: other.median_s)
    ratios: dict[str, Figure] = {
        "ratio": timing.median_s / reference.median_s, "cpu_ratio": timing.cpu_median_s / reference.cpu_median_s}
    return Row(f"{kind}, {name}", timing.figures_ms() | ratios)


def _missing(name: str, why: str) -> Row:
    return Row(name, {"median_ms": None}, note=why)


def _int8_case(engine: Engine) -> Work:
    stored = np.random.default_rng(0).integers(-128, 128, engine.input.shape, dtype=np.int8)
    return lambda: engine.run(stored)


def _onnxruntime(model: Model, threads: int, stack: ExitStack, folder: Path) -> Work:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    path = write_float_model(model.kind, folder)
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    taken = session.get_inputs()[0]
    values = np.random.default_rng(0).standard_normal(taken.shape).astype(np.float32)
    return lambda: session.run(None, {taken.name: values})


def _torch(model: Model, threads: int, stack: ExitStack, folder: Path) -> Work:
    return stack.enter_context(
        Remote(Path(sys.executable), "benchmarks.peers.torch_model", model.kind, str(threads)))


def _tflite_runtime(model: Model, threads: int, stack: ExitStack, folder: Path) -> Work:
    return stack.enter_context(Remote(python_of("tflite-runtime"), "benchmarks.peers.tflite_runtime_model",
                                      str(model.file("litert")), str(threads)))


Peer = Callable[[Model, int, ExitStack, Path], Work]
PEERS: dict[str, Peer] = {
    FLOAT32: _onnxruntime, "float32, torch eager": _torch, "int8, tflite-runtime 2.14": _tflite_runtime}
