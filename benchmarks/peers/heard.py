"""A streaming peer's side of benchmarks/streaming.py: sound from a WAV file, block by block, and what that took."""

import json
import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path

BLOCK_MS = 80


def hear(path: str, take: Callable[[bytes], object]) -> None:
    """Hands 16 kHz mono int16 blocks to ``take``; prints seconds of sound, of CPU before and during it, peak memory."""
    with wave.open(path, "rb") as sound:
        block = sound.getframerate() * BLOCK_MS // 1000
        seconds = sound.getnframes() / sound.getframerate()
        loaded_s, began_s = time.process_time(), time.perf_counter()
        while samples := sound.readframes(block):
            take(samples)
        wall_s, cpu_s = time.perf_counter() - began_s, time.process_time() - loaded_s
    json.dump({"heard_s": seconds, "load_cpu_s": loaded_s, "wall_s": wall_s, "cpu_s": cpu_s,
               "peak_bytes": _peak_bytes()}, sys.stdout)


def _peak_bytes() -> int:
    """Not ru_maxrss, into which the kernel counts what the parent held when it forked."""
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
