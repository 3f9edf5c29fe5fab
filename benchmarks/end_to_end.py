"""What does it cost to hear, to see, both, and to recommend, from samples and pictures to the list?"""

import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks.clips import sample_clips
from benchmarks.process import run_python, write_profile
from benchmarks.report import Row
from benchmarks.room import Room
from benchmarks.timing import Timing, Work, interleave
from edge.firmware import MIB, FirmwareProfile

REPEATS = 5
LISTS = 100


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """``cpu_percent`` is CPU time per second of sound or film, in hundredths of one core; ``real_time_factor`` is
    seconds of sound or film per second of wall clock, as fast as it can be read."""
    with ExitStack() as stack:
        room = Room(profile, stack)
        cases: dict[str, Work] = {"hear: MFCC and model": room.hear}
        taken_s = {"hear: MFCC and model": room.heard_s}
        if room.sees:
            see = f"see: resizing and model, {profile.video.frames_per_s:g} pictures/s"
            cases |= {see: room.see, "both, in one thread": room.both}
            taken_s |= {see: room.seen_s, "both, in one thread": max(room.heard_s, room.seen_s)}
        timings = interleave(cases, repeats=REPEATS, warmup=1)
        lists = interleave({"list": room.recommend}, repeats=LISTS)["list"]
        return [*(_perceived(name, taken_s[name], timing) for name, timing in timings.items()),
                Row(f"recommend: 10 of {room.items} items", _listed(lists)), *_commands(profile)]


def _perceived(name: str, taken_s: float, timing: Timing) -> Row:
    return Row(name, {"taken_s": taken_s, "wall_ms": timing.median_s * 1e3, "cpu_percent":
                      100 * timing.cpu_median_s / taken_s, "real_time_factor": taken_s / timing.median_s})


def _listed(timing: Timing) -> dict:
    """With the recording named."""
    return {"wall_ms": timing.median_s * 1e3, "p95_ms": float(np.percentile(timing.wall_s, 95)) * 1e3}


def _commands(profile: FirmwareProfile) -> list[Row]:
    """The whole command, from start to exit."""
    with tempfile.TemporaryDirectory() as folder:
        settings = str(write_profile(profile, Path(folder) / f"{profile.name}.toml"))
        sound, film = sample_clips()
        clips = [sound, film] if profile.video.enabled else [sound]
        return [_command(clip, settings, folder) for clip in clips]


def _command(clip: Path, settings: str, folder: str) -> Row:
    command = ["-m", "edge.cli", "recommend", str(clip), "--profile", settings, "--state", folder, "--json"]
    usages = [run_python(*command) for _ in range(REPEATS)]
    return Row(f"roomtone recommend {clip.name}", {
        "wall_ms": float(np.median([usage.wall_s for usage in usages])) * 1e3,
        "cpu_ms": float(np.median([usage.cpu_s for usage in usages])) * 1e3,
        "peak_mib": max(usage.peak_bytes for usage in usages) / MIB})
