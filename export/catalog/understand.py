"""One media file to the items and vectors that it gives: what a build does for every file, wherever it runs."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from edge.audio.source import open_audio
from edge.context import Embedding, unit
from edge.errors import MediaError
from edge.video.source import Frame
from export.catalog.embed import SAMPLE_RATE_HZ, WINDOWS_VIEW, WINDOWS_VIEWS, Embedders
from export.catalog.facts import film_fields, has_pictures, shot_fields, track_fields
from export.catalog.packed import Understood
from export.catalog.scan import MediaFile
from export.catalog.shots import Shot, ShotFinder, look_through
from export.catalog.vectors import as_stored
from export.data.decode import decode

LONGEST_TRACK_S = 600.0
"""As much of a track as is listened to, from its start."""
SEGMENT_S = 300
"""A film's sound is taken in pieces of this length, so that its length costs no memory."""
LOOK_EVERY_S = 0.25
"""A picture this often is embedded, so that another one of the same shot is not far from one that is known."""


def understand(file: MediaFile, embedders: Embedders) -> list[Understood]:
    """The items of a file: one for a track, one for each shot of a film.

    Raises MediaError, naming the file, when it cannot be decoded or there is nothing to be heard or seen in it.
    """
    if not file.size_bytes:
        raise MediaError(f"{file.path}: is empty; copy it again, or take it out of the folder")
    is_film = file.kind == "film" and has_pictures(file.path)
    items = _shots(file, embedders) if is_film else _track(file, embedders)
    if not items:
        raise MediaError(f"{file.path}: there is nothing in it that could be understood; it is silent or blank")
    return items


def _track(file: MediaFile, embedders: Embedders) -> list[Understood]:
    sound = decode(file.path, max_s=LONGEST_TRACK_S)
    heard = embedders.hear_track(sound)
    fields = track_fields(file, duration_s=len(sound) / SAMPLE_RATE_HZ)
    vectors = _vectors(heard)
    return [Understood(fields, vectors)] if vectors else []


def _shots(file: MediaFile, embedders: Embedders) -> list[Understood]:
    film = film_fields(file)
    shots, seen = _see(file, embedders)
    heard = _hear_film(file, embedders)
    items = []
    for number, shot in enumerate(shots):
        parts = {view: _within(embeddings, shot) for view, embeddings in (heard | seen).items()}
        vectors = _vectors(parts)
        if vectors:
            items.append(Understood(shot_fields(film, file, number, shot), vectors))
    return items


def _see(file: MediaFile, embedders: Embedders) -> tuple[list[Shot], dict[str, list[Embedding]]]:
    """The shots of a film, and view to the embeddings of its pictures, in one pass."""
    finder, model, embeddings = ShotFinder(), embedders.pictures, []
    if model:
        model.reset()
    for time_s, thumb, picture in look_through(file.path, every_s=LOOK_EVERY_S if model else None):
        finder.push(thumb, time_s)
        embedding = model.embed(Frame(picture, time_s)) if model and picture is not None else None
        embeddings += [embedding] if embedding else []
    return finder.shots(), dict.fromkeys(model.views if model else (), embeddings)


def _hear_film(file: MediaFile, embedders: Embedders) -> dict[str, list[Embedding]]:
    """View to the embeddings of a film's sound; none of a film without sound, or of which it cannot be decoded."""
    heard: dict[str, list[Embedding]] = {}
    try:
        for start_s, sound in _segments(file):
            for view, embeddings in embedders.hear(sound).items():
                if view != WINDOWS_VIEW:
                    heard.setdefault(view, []).extend(_later(embeddings, start_s))
    except MediaError:
        return heard
    return heard


def _segments(file: MediaFile) -> Iterator[tuple[float, np.ndarray]]:
    with open_audio(f"file:{file.path}", sample_rate_hz=SAMPLE_RATE_HZ, block_ms=1000) as source:
        blocks: list[np.ndarray] = []
        start_s = 0.0
        while (block := source.read()) is not None:
            start_s = block.start_s if not blocks else start_s
            blocks.append(block.samples.copy())
            if len(blocks) == SEGMENT_S:
                yield start_s, np.concatenate(blocks)
                blocks = []
        if blocks:
            yield start_s, np.concatenate(blocks)


def _later(embeddings: Sequence[Embedding], start_s: float) -> list[Embedding]:
    return [Embedding(e.modality, e.start_s + start_s, e.end_s + start_s, e.vectors) for e in embeddings]


def _within(embeddings: Sequence[Embedding], shot: Shot) -> list[Embedding]:
    """Those whose middle lies in the shot; of a shot that is shorter than a hop, the one nearest to its middle."""
    inside = [e for e in embeddings if shot.start_s <= _middle_s(e) < shot.end_s]
    at_s = (shot.start_s + shot.end_s) / 2
    around = [e for e in embeddings if e.start_s <= at_s < e.end_s]
    return inside or sorted(around, key=lambda e: abs(_middle_s(e) - at_s))[:1]


def _middle_s(embedding: Embedding) -> float:
    return (embedding.start_s + embedding.end_s) / 2


def _vectors(embedded: Mapping[str, Sequence[Embedding]]) -> dict[str, np.ndarray]:
    return {view: _windows(embeddings, view) if view in WINDOWS_VIEWS else _mean(embeddings, view)
            for view, embeddings in embedded.items() if embeddings}


def _windows(embeddings: Sequence[Embedding], view: str) -> np.ndarray:
    return as_stored(np.stack([embedding.vectors[view] for embedding in embeddings]))


def _mean(embeddings: Sequence[Embedding], view: str) -> np.ndarray:
    """Of unit vectors, scaled to length 1 again: int8 (1, d)."""
    return as_stored(unit(np.stack([embedding.vectors[view] for embedding in embeddings]).mean(axis=0))[np.newaxis])
