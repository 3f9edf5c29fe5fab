"""Roomtone listening, in a process like that of each peer: ``WAV PROFILE [recommend]``."""

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.heard import hear
from edge import firmware
from edge.audio.encoder import AudioEncoder
from edge.bundle import open_bundle
from edge.context import ContextBuilder
from edge.engine.open import open_engine

EVERY_S = 12.0
"""As often as the recommender is asked: once a context."""


def main(path: str, profile_path: str, *recommend: str) -> None:
    profile, bundle = firmware.load(profile_path), open_bundle()
    builder = ContextBuilder(seconds=profile.context.seconds)
    with ExitStack() as stack:
        runtime = profile.engine.runtime
        engine = stack.enter_context(
            open_engine(runtime, bundle.model("audio").file(runtime), threads=profile.engine.threads))
        encoder = AudioEncoder(bundle.model("audio"), engine, hop_s=profile.audio.hop_s)
        recommender = _recommender(stack, bundle, profile) if recommend else None
        asked_s = 0.0

        def take(samples: bytes) -> None:
            nonlocal asked_s
            for embedding in encoder.push(np.frombuffer(samples, np.int16)):
                builder.add(embedding)
                if recommender and embedding.end_s - asked_s >= EVERY_S:
                    asked_s, context = embedding.end_s, builder.context()
                    recommender.now_playing(context)
                    recommender.recommend(context, user="household")

        hear(path, take)


def _recommender(stack: ExitStack, bundle: Any, profile: firmware.FirmwareProfile) -> Any:
    from edge.catalog.snapshot import open_snapshot
    from edge.recommend.history import History
    from edge.recommend.recommender import Recommender

    state = stack.enter_context(tempfile.TemporaryDirectory())
    snapshot = stack.enter_context(open_snapshot(spaces=bundle.spaces()))
    history = stack.enter_context(History(Path(state) / "history.db"))
    return Recommender(snapshot, history, candidates=profile.catalog.candidates)


if __name__ == "__main__":
    main(*sys.argv[1:])
