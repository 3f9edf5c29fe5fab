"""How long does the streaming MFCC take for a second of sound, by length of block?"""

from pathlib import Path

import numpy as np

import edge
from benchmarks.mfcc_peers import PEERS, REFERENCE, cut
from benchmarks.report import Row
from benchmarks.timing import Timing, Work, interleave
from edge.audio.constants import MfccConstants, load_constants
from edge.audio.mfcc import StreamingMfcc
from edge.audio.source import open_audio
from edge.bundle import open_bundle
from edge.firmware import FirmwareProfile

CLIP = Path(edge.__file__).parent / "assets" / "clips" / "in-the-catalogue.ogg"
SECONDS = 10
BLOCKS_MS = (10, 20, 80, 320, 1000)
REPEATS = 40


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """``ratio`` is the median over that of kaldi-native-fbank at 80 ms (``peers``), else over ours at 80 ms.

    ``cpu_ratio`` is the same of the CPU times: on a busy machine the more exact one.
    """
    model = open_bundle().model("audio")
    constants = load_constants(model.folder / model.frontend["constants"], model.frontend)
    samples = _samples(constants.sample_rate_hz)
    cases: dict[str, Work] = {
        f"roomtone, {block_ms} ms": _ours(constants, samples, block_ms)
        for block_ms in sorted({*BLOCKS_MS, profile.audio.block_ms})
    }
    missing: list[Row] = []
    for name, make in PEERS.items() if peers else ():
        try:
            cases[name] = make(constants, samples)
        except ImportError as error:
            missing.append(Row(name, {"ms_per_s": None}, note=f"needs {error.name}: pip install 'roomtone[bench]'"))
    timings = interleave(cases, repeats=REPEATS)
    reference = timings.get(REFERENCE) or timings["roomtone, 80 ms"]
    return [_row(name, timing, reference) for name, timing in timings.items()] + missing


def _row(name: str, timing: Timing, reference: Timing) -> Row:
    return Row(name, {
        "ms_per_s": timing.median_s * 1e3 / SECONDS,
        "p99_ms_per_s": timing.p99_s * 1e3 / SECONDS,
        "cpu_ms_per_s": timing.cpu_median_s * 1e3 / SECONDS,
        "ratio": timing.median_s / reference.median_s,
        "cpu_ratio": timing.cpu_median_s / reference.cpu_median_s,
    })


def _samples(sample_rate_hz: int) -> np.ndarray:
    with open_audio(str(CLIP), sample_rate_hz=sample_rate_hz, block_ms=1000) as source:
        samples = np.concatenate([block.samples for block in iter(source.read, None)])
    return np.resize(samples, SECONDS * sample_rate_hz)


def _ours(constants: MfccConstants, samples: np.ndarray, block_ms: int) -> Work:
    mfcc = StreamingMfcc(constants)
    blocks = cut(samples, block_ms * constants.sample_rate_hz // 1000)

    def work() -> None:
        for block in blocks:
            mfcc.push(block)
        mfcc.flush()

    return work
