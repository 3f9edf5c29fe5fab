"""The media files of a folder, in an order that does not change, with what tells whether one has changed."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edge.errors import ExportError
from export.data.openmpt import SUFFIXES as TRACKER_SUFFIXES

TRACK_SUFFIXES = frozenset({".ogg", ".oga", ".opus", ".mp3", ".flac", ".wav", ".aif", ".aiff", ".m4a", ".aac", ".wma",
                            ".ape", ".wv", ".mpc"}) | TRACKER_SUFFIXES
FILM_SUFFIXES = frozenset({".mp4", ".m4v", ".mkv", ".webm", ".avi", ".mov", ".mpg", ".mpeg", ".ts", ".m2ts", ".ogv",
                           ".wmv", ".flv", ".3gp"})
LONGEST_NAME = 100
"""Characters of an id that come from a file's name; identifiers are at most 128 long."""


@dataclass(frozen=True)
class MediaFile:
    path: Path
    name: str
    """Path within the media folder, with slashes: what items are called after, and what does not change when the
    folder moves."""
    kind: str
    """``track`` or ``film``, by the file's suffix."""
    size_bytes: int
    modified_ns: int
    known: Mapping[str, Any] = field(default_factory=dict)
    """Fields of edge.catalog.items.Item that are known better than the file says: ``artist``, ``licence``, ..."""

    def as_json(self) -> str:
        """In ASCII, whatever characters and bytes its name is of."""
        return json.dumps({**asdict(self), "path": str(self.path)})

    @classmethod
    def from_json(cls, text: str) -> "MediaFile":
        said = json.loads(text)
        return cls(**{**said, "path": Path(said["path"])})


def scan(folder: Path, on_trouble: Callable[[str, str], object] = lambda name, reason: None) -> Iterator[MediaFile]:
    """Every sound and film file under a folder, sorted by path; hidden ones and links are left out.

    ``on_trouble`` is told the name of each folder and file that cannot be looked at, and why. Raises ExportError
    when there is no such folder.
    """
    if not folder.is_dir():
        raise ExportError(f"{folder} is not a folder; give the folder that the music and the films lie in")
    def note(path: Path, error: OSError) -> None:
        on_trouble(path.relative_to(folder).as_posix(), f"{path}: cannot be read: {error.strerror or error}")

    for path in _walk(folder, note):
        if path.suffix.lower() in TRACK_SUFFIXES | FILM_SUFFIXES:
            try:
                yield media_file(path, name=path.relative_to(folder).as_posix())
            except ExportError as error:  # it went away meanwhile
                on_trouble(path.relative_to(folder).as_posix(), str(error))


def media_file(path: Path, *, name: str, known: Mapping[str, Any] | None = None) -> MediaFile:
    """Describe one file. Raises ExportError when it cannot be looked at."""
    try:
        status = path.stat()
    except OSError as error:
        raise ExportError(f"{path}: cannot be looked at: {error.strerror or error}") from error
    kind = "film" if path.suffix.lower() in FILM_SUFFIXES else "track"
    return MediaFile(path, name, kind, status.st_size, status.st_mtime_ns, known or {})


def _walk(folder: Path, on_error: Callable[[Path, OSError], object]) -> Iterator[Path]:
    """Files below a folder, however deep, each folder's names in order. What cannot be read is passed over."""
    open_folders = [_entries(folder, on_error)]
    while open_folders:
        entry = next(open_folders[-1], None)
        if entry is None:
            open_folders.pop()
        elif entry.is_dir(follow_symlinks=False):
            open_folders.append(_entries(Path(entry.path), on_error))
        elif entry.is_file(follow_symlinks=False):
            yield Path(entry.path)


def _entries(folder: Path, on_error: Callable[[Path, OSError], object]) -> Iterator["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as found:
            return iter(sorted((entry for entry in found if not entry.name.startswith(".")), key=lambda e: e.name))
    except OSError as error:
        on_error(folder, error)
        return iter(())
