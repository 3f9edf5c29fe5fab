"""What does it cost to hear, to see and to recommend, from file to list?"""

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks.clips import sample_clips
from benchmarks.process import run_python, write_profile
from benchmarks.report import Row
from edge.audio.source import AudioBlock, open_audio
from edge.bundle import open_bundle
from edge.catalog.snapshot import open_snapshot
from edge.context import ContextBuilder
from edge.firmware import FirmwareProfile
from edge.perception import Listener, Perceiver, Watcher
from edge.recommend.history import History
from edge.recommend.recommender import Recommender
from edge.video.source import Frame, open_video

REPEATS = 5
LISTS = 50


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """``cpu_percent`` is CPU time per second of sound or film, in hundredths of one core; ``real_time_factor`` is
    seconds of sound or film per second of wall clock, as fast as it can be read."""
    rows = [_hearing(profile)]
    if profile.video.enabled:
        rows.append(_sight(profile))
    return [*rows, _list(profile), *_commands(profile)]


def _hearing(profile: FirmwareProfile) -> Row:
    sound, _ = sample_clips()
    builder = ContextBuilder(seconds=profile.context.seconds)
    with open_audio(f"file:{sound}", block_ms=profile.audio.block_ms) as source:
        blocks = list(iter(source.read, None))
    heard_s = sum(len(block.samples) for block in blocks) / 16000
    return _perceived("hear: MFCC and model, from samples", heard_s,
                      lambda: Listener(open_bundle(), profile, _Replay(blocks), builder))


def _sight(profile: FirmwareProfile) -> Row:
    _, film = sample_clips()
    builder = ContextBuilder(seconds=profile.context.seconds)
    with open_video(f"file:{film}", frames_per_s=profile.video.frames_per_s) as source:
        frames = list(iter(source.read, None))
    return _perceived(f"see: resizing and model, {profile.video.frames_per_s:g} pictures/s",
                      len(frames) / profile.video.frames_per_s,
                      lambda: Watcher(open_bundle(), profile, _Replay(frames), builder))


def _perceived(name: str, taken_s: float, assemble: Callable[[], Perceiver]) -> Row:
    wall, cpu = [], []
    for _ in range(REPEATS + 1):
        with ExitStack() as stack:
            perceiver = assemble()
            stack.callback(perceiver.close)
            wall_s, cpu_s = time.perf_counter(), time.process_time()
            while perceiver.step() is not None:
                pass
            wall.append(time.perf_counter() - wall_s)
            cpu.append(time.process_time() - cpu_s)
    wall_s, cpu_s = float(np.median(wall[1:])), float(np.median(cpu[1:]))
    return Row(name, {"taken_s": taken_s, "wall_ms": wall_s * 1e3, "cpu_percent": 100 * cpu_s / taken_s,
                      "real_time_factor": taken_s / wall_s})


def _list(profile: FirmwareProfile) -> Row:
    """A list of ten for what was heard, with the recording named."""
    sound, _ = sample_clips()
    bundle, builder = open_bundle(), ContextBuilder(seconds=profile.context.seconds)
    with tempfile.TemporaryDirectory() as state, ExitStack() as stack:
        snapshot = stack.enter_context(open_snapshot(spaces=bundle.spaces()))
        history = stack.enter_context(History(Path(state) / "history.db"))
        source = stack.enter_context(open_audio(f"file:{sound}"))
        listener = Listener(bundle, profile, source, builder)
        stack.callback(listener.close)
        while listener.step() is not None:
            pass
        recommender = Recommender(snapshot, history, candidates=profile.catalog.candidates)
        wall = []
        for _ in range(LISTS):
            began_s, context = time.perf_counter(), builder.context()
            recommender.now_playing(context)
            recommender.recommend(context, user="household")
            wall.append(time.perf_counter() - began_s)
        return Row(f"recommend: 10 of {len(snapshot.items)} items", {"wall_ms": float(np.median(wall)) * 1e3})


def _commands(profile: FirmwareProfile) -> list[Row]:
    """The whole command, from start to exit."""
    with tempfile.TemporaryDirectory() as folder:
        settings = str(write_profile(profile, Path(folder) / f"{profile.name}.toml"))
        rows = []
        for clip in sample_clips():
            command = ["-m", "edge.cli", "recommend", str(clip), "--profile", settings, "--state", folder, "--json"]
            usages = [run_python(*command) for _ in range(REPEATS)]
            rows.append(Row(f"roomtone recommend {clip.name}", {
                "wall_ms": float(np.median([usage.wall_s for usage in usages])) * 1e3,
                "cpu_ms": float(np.median([usage.cpu_s for usage in usages])) * 1e3,
                "peak_mib": max(usage.peak_bytes for usage in usages) / (1 << 20)}))
        return rows


class _Replay:
    """A source that hands out what was read before, so that decoding is not counted."""

    description = "replay"

    def __init__(self, taken: list[AudioBlock] | list[Frame]):
        self._left = iter(taken)

    def read(self):
        return next(self._left, None)

    def close(self) -> None:
        pass

    def __enter__(self) -> "_Replay":
        return self

    def __exit__(self, *_: object) -> None:
        pass
