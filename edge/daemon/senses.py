"""Assembles hearing and sight: for each that is asked for, its health, capture, perceiver and pipeline."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from edge.audio.source import open_audio
from edge.bundle import Bundle
from edge.context import ContextBuilder
from edge.daemon.capture import Capture
from edge.daemon.health import STALE_S, SenseHealth, count_picture, count_sound
from edge.daemon.options import DaemonOptions
from edge.daemon.pipeline import Pipeline
from edge.errors import UsageError
from edge.perception import Listener, Perceiver, Watcher
from edge.video.source import STREAM_SCHEMES, open_video

SAMPLE_RATE_HZ = 16000
LATE_PICTURES = 3
"""After so many intervals without a picture, sight counts as stalled."""
NONE = "none"
ENDLESS_KINDS = ("mic", "v4l2", *STREAM_SCHEMES)
"""Sources without an end of their own, by what stands before the colon."""


@dataclass(frozen=True)
class Sense:
    """Hearing or sight at work; the pipeline thread is not started yet."""

    health: SenseHealth
    capture: Capture
    perceiver: Perceiver
    pipeline: Pipeline

    def stop(self, *, within_s: float) -> bool:
        """Ask the thread to end; False when it still waits for its device. The model is closed if it ended."""
        self.pipeline.stop()
        if self.pipeline.is_alive():
            self.pipeline.join(within_s)
        if self.pipeline.is_alive():
            return False
        self.perceiver.close()
        return True


def healths(options: DaemonOptions) -> dict[str, SenseHealth]:
    """The health of ``audio`` and ``video``, whether they are used or not."""
    pictures_hz = options.profile.video.frames_per_s
    return {
        "audio": SenseHealth("audio", nominal_hz=SAMPLE_RATE_HZ),
        "video": SenseHealth("video", nominal_hz=pictures_hz, stale_s=max(STALE_S, LATE_PICTURES / pictures_hz)),
    }


def check(options: DaemonOptions) -> None:
    """Raises UsageError when the profile does without a sense that is asked for."""
    for name, spec, enabled in (
        ("audio", options.audio, options.profile.audio.enabled),
        ("video", options.video, options.profile.video.enabled),
    ):
        if spec != NONE and not enabled:
            raise UsageError(
                f"the profile {options.profile.name} does without {name}: "
                f"give --{name} none, or another --profile than {options.profile.name}"
            )


def hearing(
    options: DaemonOptions, bundle: Bundle, builder: ContextBuilder, health: SenseHealth, news: Callable[[], None]
) -> Sense:
    """Load the model and open the sound. Raises RoomtoneError for what can never work."""
    block_ms = options.profile.audio.block_ms
    opener = partial(open_audio, options.audio, sample_rate_hz=SAMPLE_RATE_HZ, block_ms=block_ms, paced=options.paced)
    capture = Capture(opener, health, count=count_sound, endless=is_endless(options.audio))
    listener = Listener(bundle, options.profile, capture, builder, runtime=options.engine)
    return _assemble(health, capture, listener, news)


def sight(
    options: DaemonOptions, bundle: Bundle, builder: ContextBuilder, health: SenseHealth, news: Callable[[], None]
) -> Sense:
    """Load the model and open the pictures. Raises RoomtoneError for what can never work."""
    frames_per_s = options.profile.video.frames_per_s
    opener = partial(open_video, options.video, frames_per_s=frames_per_s, paced=options.paced)
    capture = Capture(opener, health, count=count_picture, endless=is_endless(options.video))
    watcher = Watcher(bundle, options.profile, capture, builder, runtime=options.engine)
    return _assemble(health, capture, watcher, news)


def is_endless(spec: str) -> bool:
    return spec.partition(":")[0] in ENDLESS_KINDS


def _assemble(health: SenseHealth, capture: Capture, perceiver: Perceiver, news: Callable[[], None]) -> Sense:
    def broken() -> None:
        perceiver.restart()
        news()

    capture.on_break = broken
    return Sense(health, capture, perceiver, Pipeline(perceiver, capture, health, news))
