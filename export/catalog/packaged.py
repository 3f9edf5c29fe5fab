"""The default catalogue: tracks and shots of the packages, in the spaces of the default bundle."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from edge.audio.encoder import AudioEncoder
from edge.bundle import Bundle
from edge.catalog.items import Item
from edge.context import unit
from edge.engine.open import open_engine
from export.catalog.writer import ViewData, write_snapshot
from export.data.corpus import Recording
from export.data.decode import decode
from export.data.fetch import fetch
from export.data.pictures import FILM_SUFFIXES, list_files, read_frames
from export.data.recipes import Package, load_packages, select
from export.data.shots import Shot, find_shots
from export.data.tags import title_from_name
from export.models.bundle import NAME, VERSION, packaged_pictures, video_student
from export.models.video import SIDE_PX, normalise, space_id
from export.training.recipe import Hearing, Studio

LISTED_SPLITS = ("validation", "test")
LISTED_TRAINING = ("wesnoth-1.16-music", "singularity-music", "unknown-horizons")
"""Beside the held-out packages, which make what is said of the catalogue honest, some that the student knows."""
RECORDING_HOP_S = 1.0
LONGEST_S = 300.0
FRAME_EVERY_S = 1.0


def build_packaged(studio: Studio, hearing: Hearing, bundle: Bundle, cache: Path, out: Path) -> None:
    """Embed and write the snapshot: vectors and metadata, no sound and no picture."""
    recordings = [recording for recording in studio.recordings("train", *LISTED_SPLITS)
                  if recording.track.split in LISTED_SPLITS or recording.track.package in LISTED_TRAINING]
    items = [_track_item(row, recording) for row, recording in enumerate(recordings)]
    audio = np.stack([unit(hearing.projection.apply(pools).mean(axis=0)) for pools in studio.pools(recordings)])
    windows = _windows(recordings, bundle)
    shots, vectors, video_space = _shots(cache, first_row=len(items))
    views = {
        "audio": ViewData(hearing.spaces["audio"], audio, np.arange(len(items))),
        "recording": ViewData(hearing.spaces["recording"], np.concatenate(windows),
                              np.repeat(np.arange(len(items)), [len(part) for part in windows]), windows=True),
        "video": ViewData(video_space, vectors, np.arange(len(items), len(items) + len(shots))),
    }
    write_snapshot(out, [*items, *shots], views, name=NAME, version=VERSION)


def _track_item(row: int, recording: Recording) -> Item:
    track = recording.track
    return Item(row, f"track:{track.id}", "track", track.title, track.artist or None, track.album or None,
                track.genre or None, channel=track.package, year=track.year, duration_s=round(track.duration_s, 1),
                licence=track.licence, source=track.package)


def _windows(recordings: Sequence[Recording], bundle: Bundle) -> list[np.ndarray]:
    """The device's own code and model over each whole track (at most 300 s): one (windows, 64) per recording."""
    model = bundle.model("audio")
    found = []
    with open_engine("litert", model.file("litert")) as engine:
        encoder = AudioEncoder(model, engine, hop_s=RECORDING_HOP_S)
        for recording in tqdm(recordings, desc="recordings", unit="track", disable=None):
            encoder.reset()
            heard = encoder.push(decode(recording.track.path, max_s=LONGEST_S))
            found.append(np.stack([embedding.vectors["recording"] for embedding in heard]))
    return found


def _shots(cache: Path, *, first_row: int) -> tuple[list[Item], np.ndarray, str]:
    """Items, vectors (shots, 64) by the float model, and the space that they lie in."""
    packages = load_packages()
    pictures = packaged_pictures(packages, cache)
    student = video_student(packages, cache, pictures[np.arange(len(pictures)) % 4 != 0])
    items: list[Item] = []
    vectors = []
    for package in select(packages, "film"):
        for path in list_files(package, fetch(package, cache), FILM_SUFFIXES):
            frames = np.stack(list(read_frames(path, every_s=FRAME_EVERY_S, side_px=SIDE_PX)))
            embedded = np.concatenate([unit(student(normalise(frame[None])).detach().numpy()) for frame in frames])
            for number, shot in enumerate(find_shots(path)):
                items.append(_shot_item(first_row + len(items), package, path, number, shot))
                vectors.append(unit(_of_shot(embedded, shot).mean(axis=0)))
    return items, np.stack(vectors), space_id(student.projection)


def _of_shot(embedded: np.ndarray, shot: Shot) -> np.ndarray:
    """The vectors of the frames inside a shot; the nearest one when it is too short for any."""
    first = min(int(np.ceil(shot.start_s / FRAME_EVERY_S)), len(embedded) - 1)
    last = max(first + 1, int(np.ceil(shot.end_s / FRAME_EVERY_S)))
    return embedded[first:last]


def _shot_item(row: int, package: Package, path: Path, number: int, shot: Shot) -> Item:
    film = "Big Buck Bunny" if path.stem == "bbb" else title_from_name(path)
    at = f"{int(shot.start_s) // 60}:{int(shot.start_s) % 60:02d}"
    return Item(row, f"shot:{package.name}/{path.stem}/{number:03d}", "shot", f"{film}, {at}", package.artist,
                package.album, package.genre, channel=film, year=package.year,
                duration_s=round(shot.end_s - shot.start_s, 1), licence=package.licence, source=package.name,
                start_s=round(shot.start_s, 1))
