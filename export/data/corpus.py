"""Decoded tracks as int16 arrays on disk, opened memory-mapped, so that a corpus of any size costs no memory."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from edge.errors import ExportError, MediaError
from export.data.decode import decode
from export.data.fetch import fetch_all
from export.data.recipes import Package, select
from export.data.tracks import Track, list_tracks

EXCERPT_S = 150.0
"""As much of a track as is used, from its start: training wants many tracks rather than long ones."""


@dataclass(frozen=True)
class Recording:
    """A track and its sound, np.ndarray [shape=(n,), dtype=int16] at 16 kHz, mono."""

    track: Track
    sound: np.ndarray


def open_corpus(packages: Sequence[Package], cache: Path, *, workers: int = 1) -> list[Recording]:
    """Fetch, list and decode the music of packages, whatever of it the cache lacks. Damaged files are left out."""
    music = select(tuple(packages), "music")
    roots = fetch_all(music, cache)
    tracks = [track for package in music for track in list_tracks(package, roots[package.name])]
    return decode_all(tracks, cache / "decoded", workers=workers)


def decode_all(tracks: Iterable[Track], folder: Path, *, workers: int = 1) -> list[Recording]:
    """Decode tracks into ``folder``, with a progress bar. Raises ExportError when not one could be decoded."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = list(tracks)
    with ThreadPoolExecutor(workers) as pool:
        opened = tqdm(pool.map(lambda track: _open(track, folder), wanted), total=len(wanted), desc="decode",
                      unit="track", disable=None)
        recordings = [recording for recording in opened if recording is not None]
    if wanted and not recordings:
        raise ExportError(f"none of {len(wanted)} tracks could be decoded; is libsndfile or FFmpeg too old for them?")
    return recordings


def _open(track: Track, folder: Path) -> Recording | None:
    path = folder / f"{track.id.replace('/', '__')}.npy"
    if not path.exists():
        try:
            sound = decode(track.path, max_s=EXCERPT_S)
        except MediaError:
            return None
        partial = path.with_suffix(".partial.npy")
        np.save(partial, sound)
        partial.replace(path)
    return Recording(track, np.load(path, mmap_mode="r", allow_pickle=False))
