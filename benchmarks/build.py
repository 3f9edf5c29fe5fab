"""How long does a catalogue of sound files take to build, in local workers and on Ray, with one worker and with two?"""

import os
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.process import Usage, run_python
from benchmarks.report import Row
from edge.firmware import FirmwareProfile

FILES = 120
SECONDS = 60
RATE_HZ = 44_100
WORKERS = (1, 2)


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """``roomtone-export catalog`` over synthetic Ogg Vorbis files, each time from nothing.

    ``start_s`` is the command over one of the files; ``files_per_s`` counts the others in the time that they added.
    ``speedup`` is over one worker of the same engine. With fewer cores than workers there is none to be had.
    ``times_real_time_per_core``: seconds of sound for each second of CPU, of the build and its workers together; Ray's
    processes are not the build's own and are not counted.
    """
    import mutagen  # noqa: F401  # which the exporter's workers need: without it, this script is left out

    os.environ.setdefault("RAY_worker_niceness", "0")  # by default 15, behind all else that a machine has to do
    try:
        import ray  # noqa: F401
        engines = ["local", "ray"]
    except ImportError:
        engines = ["local"]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        one, all_files = Path(scratch) / "one", Path(scratch) / "all"
        _write_songs(one, 1)
        _write_songs(all_files, FILES)
        for engine in engines:
            first_s = 0.0
            for workers in WORKERS:
                start, whole = (_build(media, engine, workers) for media in (one, all_files))
                added_s = whole.wall_s - start.wall_s
                first_s = first_s or added_s
                per_core = {"times_real_time_per_core": (FILES - 1) * SECONDS / (whole.cpu_s - start.cpu_s)}
                rows.append(Row(f"{engine}, {workers} worker{'s' * (workers > 1)}", {
                    "wall_s": whole.wall_s, "start_s": start.wall_s, "files_per_s": (FILES - 1) / added_s,
                    "speedup": first_s / added_s, **(per_core if engine == "local" else {})}))
    if "ray" not in engines:
        rows.append(Row("ray", {"wall_s": None}, "needs ray: pip install 'roomtone[ray]'"))
    return rows


def _build(media: Path, engine: str, workers: int) -> Usage:
    with tempfile.TemporaryDirectory() as made:
        return run_python("-m", "export.cli", "catalog", str(media), "--engine", engine, "--workers", str(workers),
                          "--out", str(Path(made) / "catalog"))


def _write_songs(folder: Path, number: int) -> None:
    """Melodies of decaying harmonics over noise, each of its own seed."""
    import soundfile

    folder.mkdir()
    for song in range(number):
        with soundfile.SoundFile(folder / f"{song:03d}.ogg", "w", RATE_HZ, 1, format="OGG", subtype="VORBIS") as file:
            random = np.random.default_rng(song)
            for _ in range(SECONDS):
                file.write(_second(random))


def _second(random: np.random.Generator) -> np.ndarray:
    time_s = np.arange(RATE_HZ) / RATE_HZ
    pitches_hz = 110 * 2 ** (random.integers(0, 36, 3) / 12)
    tones = ((pitch_hz * harmonic, 1 / harmonic) for pitch_hz in pitches_hz for harmonic in (1, 2, 3))
    notes = sum(gain * np.sin(2 * np.pi * tone_hz * time_s) for tone_hz, gain in tones)
    return (0.1 * notes * np.exp(-3 * time_s) + 0.01 * random.standard_normal(RATE_HZ)).astype(np.float32)
