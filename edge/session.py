"""Hear and see files from beginning to end: what the one-shot commands do with them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from edge.audio.file import is_sound_file
from edge.audio.source import open_audio
from edge.bundle import Bundle
from edge.context import ContextBuilder, Embedding
from edge.errors import MediaError
from edge.firmware import FirmwareProfile
from edge.perception import Listener, Perceiver, Watcher
from edge.video.source import open_video


def perceive(
    path: Path, *, bundle: Bundle, profile: FirmwareProfile, builder: ContextBuilder, runtime: str | None = None,
    modalities: tuple[str, ...] = ("audio", "video"), on_news: Callable[[Embedding], None] = lambda _: None,
) -> list[Embedding]:
    """Take a sound file or a film in, as fast as it can be read; the context gathers in ``builder``.

    Returns all embeddings, sound before pictures. Raises MediaError when the file has nothing for any of the
    modalities.
    """
    embeddings: list[Embedding] = []
    with ExitStack() as stack:
        perceivers = _open_all(path, stack, bundle, profile, builder, runtime, modalities)
        for perceiver in perceivers:
            for embedding in _steps(perceiver):
                on_news(embedding)
                embeddings.append(embedding)
    return embeddings


def _open_all(
    path: Path, stack: ExitStack, bundle: Bundle, profile: FirmwareProfile, builder: ContextBuilder,
    runtime: str | None, modalities: tuple[str, ...],
) -> list[Perceiver]:
    """A sound file is heard; a film is seen, and heard if it has sound."""
    perceivers: list[Perceiver] = []
    refusals: list[MediaError] = []
    if "audio" in modalities:
        try:
            sound = stack.enter_context(open_audio(f"file:{path}", block_ms=profile.audio.block_ms))
            perceivers.append(Listener(bundle, profile, sound, builder, runtime=runtime))
        except MediaError as error:
            refusals.append(error)
    if "video" in modalities and profile.video.enabled and not is_sound_file(path):
        try:
            film = stack.enter_context(open_video(f"file:{path}", frames_per_s=profile.video.frames_per_s))
            perceivers.append(Watcher(bundle, profile, film, builder, runtime=runtime))
        except MediaError as error:
            refusals.append(error)
    if not perceivers:
        raise refusals[0] if refusals else MediaError(f"{path}: has nothing of {' or '.join(modalities)}")
    for perceiver in perceivers:
        stack.callback(perceiver.close)
    return perceivers


def _steps(perceiver: Perceiver) -> Iterator[Embedding]:
    while (embeddings := perceiver.step()) is not None:
        yield from embeddings
