"""From a source to the context, one step at a time: how the daemon and the one-shot commands hear and see.

A step reads one block or picture, encodes it and adds what it was understood as to the context.
"""

from typing import Protocol

from edge.audio.encoder import AudioEncoder
from edge.audio.source import AudioSource
from edge.bundle import Bundle
from edge.context import ContextBuilder, Embedding
from edge.engine.base import Engine
from edge.engine.open import open_engine
from edge.firmware import FirmwareProfile
from edge.video.encoder import VideoEncoder
from edge.video.source import VideoSource


class Perceiver(Protocol):
    """What a pipeline drives: Listener and Watcher."""

    def step(self) -> list[Embedding] | None:
        """Take in one block or picture. Returns the embeddings that it completed; None when the source ended."""

    @property
    def runtime(self) -> str:
        """Package and version of the runtime that it infers with."""

    @property
    def skipped(self) -> int:
        """Windows or pictures that took no inference: silent, blank, or like the last."""

    def restart(self) -> None:
        """What comes next does not continue what came before (a source was lost, or unmuted)."""

    def close(self) -> None: ...


class Listener:
    """Sound to embeddings. Owns its engine, not the source."""

    def __init__(
        self, bundle: Bundle, profile: FirmwareProfile, source: AudioSource, builder: ContextBuilder,
        *, runtime: str | None = None,
    ):
        model = bundle.model("audio")
        self._engine = _open(bundle, "audio", profile, runtime)
        self._encoder = AudioEncoder(model, self._engine, hop_s=profile.audio.hop_s)
        self._source, self._builder = source, builder
        self._ended = False

    def step(self) -> list[Embedding] | None:
        if self._ended:
            return None
        block = self._source.read()
        self._ended = block is None
        embeddings = self._encoder.flush() if block is None else self._encoder.push(block.samples)
        for embedding in embeddings:
            self._builder.add(embedding)
        return embeddings or ([] if block is not None else None)

    @property
    def runtime(self) -> str:
        return self._engine.version

    @property
    def skipped(self) -> int:
        return self._encoder.silent_windows

    def restart(self) -> None:
        self._encoder.reset()
        self._builder.clear("audio")

    def close(self) -> None:
        self._engine.close()


class Watcher:
    """Pictures to embeddings. Owns its engine, not the source."""

    def __init__(
        self, bundle: Bundle, profile: FirmwareProfile, source: VideoSource, builder: ContextBuilder,
        *, runtime: str | None = None,
    ):
        self._engine = _open(bundle, "video", profile, runtime)
        self._encoder = VideoEncoder(bundle.model("video"), self._engine)
        self._source, self._builder = source, builder

    def step(self) -> list[Embedding] | None:
        frame = self._source.read()
        if frame is None:
            return None
        embedding = self._encoder.encode(frame)
        if embedding is None:
            return []
        self._builder.add(embedding)
        return [embedding]

    @property
    def runtime(self) -> str:
        return self._engine.version

    @property
    def skipped(self) -> int:
        return self._encoder.skipped

    def restart(self) -> None:
        self._encoder.reset()
        self._builder.clear("video")

    def close(self) -> None:
        self._engine.close()


def _open(bundle: Bundle, kind: str, profile: FirmwareProfile, runtime: str | None) -> Engine:
    runtime = runtime or profile.engine.runtime
    return open_engine(runtime, bundle.model(kind).file(runtime), threads=profile.engine.threads)
