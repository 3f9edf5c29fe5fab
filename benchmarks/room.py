"""The sample clips as what a device hears and sees, again and again, from memory: decoding is not counted."""

import tempfile
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Any

from benchmarks.clips import sample_clips
from edge.audio.source import AudioBlock, open_audio
from edge.bundle import open_bundle
from edge.catalog.snapshot import open_snapshot
from edge.context import ContextBuilder
from edge.firmware import FirmwareProfile
from edge.perception import Listener, Perceiver, Watcher
from edge.recommend.history import History
from edge.recommend.recommender import Recommender
from edge.video.source import Frame, open_video

RATE_HZ = 16000


class Room:
    """A whole device in one thread: what it hears and sees comes round again and again."""

    def __init__(self, profile: FirmwareProfile, stack: ExitStack):
        """Clips, engines, catalogue and history are opened once; ``stack`` closes them."""
        bundle, self._builder = open_bundle(), ContextBuilder(seconds=profile.context.seconds)
        blocks, frames = _sound(profile), _pictures(profile) if profile.video.enabled else []
        self.heard_s = sum(len(block.samples) for block in blocks) / RATE_HZ
        self.seen_s = len(frames) / profile.video.frames_per_s
        self._senses: dict[str, tuple[Perceiver, int]] = {
            "hear": (Listener(bundle, profile, _Round(blocks), self._builder), len(blocks))}
        if frames:
            self._senses["see"] = Watcher(bundle, profile, _Round(frames), self._builder), len(frames)
        for perceiver, _ in self._senses.values():
            stack.callback(perceiver.close)
        state = stack.enter_context(tempfile.TemporaryDirectory())
        snapshot = stack.enter_context(open_snapshot(spaces=bundle.spaces()))
        self.items = len(snapshot.items)
        history = stack.enter_context(History(Path(state) / "history.db"))
        self._recommender = Recommender(snapshot, history, candidates=profile.catalog.candidates)

    @property
    def sees(self) -> bool:
        return "see" in self._senses

    def hear(self) -> None:
        """The sample sound once: MFCC, model, context."""
        self._take("hear")

    def see(self) -> None:
        """The sample film's pictures once: resizing, model, context."""
        self._take("see")

    def both(self) -> float:
        """Sound and pictures, each once. Returns seconds of the longer one."""
        for sense in self._senses:
            self._take(sense)
        return max(self.heard_s, self.seen_s)

    def recommend(self) -> None:
        """What is playing, and a list of ten."""
        context = self._builder.context()
        self._recommender.now_playing(context)
        self._recommender.recommend(context, user="household", k=10)

    def _take(self, sense: str) -> None:
        perceiver, steps = self._senses[sense]
        for _ in range(steps):
            perceiver.step()


class _Round:
    """A source without an end, that hands out what was read before."""

    description = "round"

    def __init__(self, taken: list[Any]):
        self._taken = cycle(taken)

    def read(self) -> Any:
        return next(self._taken)

    def close(self) -> None:
        pass

    def __enter__(self) -> "_Round":
        return self

    def __exit__(self, *_: object) -> None:
        pass


def _sound(profile: FirmwareProfile) -> list[AudioBlock]:
    path, _ = sample_clips()
    with open_audio(f"file:{path}", sample_rate_hz=RATE_HZ, block_ms=profile.audio.block_ms) as source:
        return list(iter(source.read, None))


def _pictures(profile: FirmwareProfile) -> list[Frame]:
    _, path = sample_clips()
    with open_video(f"file:{path}", frames_per_s=profile.video.frames_per_s) as source:
        return list(iter(source.read, None))
