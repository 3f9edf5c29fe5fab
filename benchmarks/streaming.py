"""What does listening all the time cost, as CPU and peak memory, beside wake-word engines on the same sound?"""

import sys
import tempfile
import wave
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clips import sample_clips
from benchmarks.environments import python_of
from benchmarks.process import json_from_python, write_profile
from benchmarks.report import Row
from edge.audio.source import open_audio
from edge.errors import RoomtoneError
from edge.firmware import MIB, FirmwareProfile

REPEATS = 5
SECONDS = 60
RATE_HZ = 16000
REFERENCE = "openWakeWord, one model"
PEERS = {  # name to its environment and program
    REFERENCE: ("openwakeword", "benchmarks.peers.openwakeword_stream"),
    "pyopen-wakeword, one model": ("pyopen-wakeword", "benchmarks.peers.pyopen_wakeword_stream"),
    "pymicro-wakeword, one model": ("pymicro-wakeword", "benchmarks.peers.pymicro_wakeword_stream"),
}


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """Each in a process of its own, in turn, on a minute of sound in blocks of 80 ms from a WAV file.

    ``cpu_percent`` is CPU time per second of sound in hundredths of one core, after loading; ``load_cpu_ms`` is what
    came before. Ratios are over openWakeWord's. A wake-word engine says whether a word was spoken, several times a
    second; Roomtone says what is playing, every ``audio.hop_s``: they do different work in the same place.
    """
    with tempfile.TemporaryDirectory() as folder:
        sound, settings = Path(folder) / "sound.wav", Path(folder) / f"{profile.name}.toml"
        _write_minute(sound)
        write_profile(profile, settings)
        ours = ("benchmarks.peers.roomtone_stream", str(sound), str(settings))
        commands: dict[str, tuple[Path, tuple[str, ...]]] = {
            "roomtone, hear": (Path(sys.executable), ours),
            "roomtone, hear and recommend every 12 s": (Path(sys.executable), (*ours, "recommend"))}
        missing = []
        for name, (environment, module) in PEERS.items() if peers else ():
            try:
                commands[name] = python_of(environment), (module, str(sound))
            except RoomtoneError as error:
                missing.append(Row(name, {"cpu_percent": None}, note=str(error)))
        found: dict[str, list[dict]] = {name: [] for name in commands}
        for _ in range(REPEATS):
            for name, (python, arguments) in commands.items():
                found[name].append(json_from_python("-m", *arguments, python=python))
    return [*_rows(found), *missing]


def _write_minute(path: Path) -> None:
    """The sample clip, again and again."""
    clip, _ = sample_clips()
    with open_audio(f"file:{clip}", sample_rate_hz=RATE_HZ, block_ms=1000) as source:
        samples = np.concatenate([block.samples for block in iter(source.read, None)])
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        sound.writeframes(np.resize(samples, SECONDS * RATE_HZ).tobytes())


def _rows(found: dict[str, list[dict]]) -> list[Row]:
    figures = {name: _figures(runs) for name, runs in found.items()}
    if reference := figures.get(REFERENCE):
        cpu_percent, peak_mib = reference["cpu_percent"], reference["peak_mib"]
        for own in figures.values():
            own |= {"cpu_ratio": own["cpu_percent"] / cpu_percent, "peak_ratio": own["peak_mib"] / peak_mib}
    return [Row(name, own) for name, own in figures.items()]


def _figures(runs: list[dict]) -> dict[str, Any]:
    def median(key: str) -> float:
        return float(np.median([run[key] for run in runs]))

    return {"cpu_percent": 100 * median("cpu_s") / median("heard_s"), "load_cpu_ms": 1e3 * median("load_cpu_s"),
            "real_time_factor": median("heard_s") / median("wall_s"), "peak_mib": median("peak_bytes") / MIB}
