"""The tracks of the music packages, each with title, artist, album, genre, licence and the split it belongs to."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from edge.errors import MediaError
from export.data.openmpt import SUFFIXES as TRACKER_SUFFIXES
from export.data.recipes import Package
from export.data.tags import Tags, named_after_album, read_tags, title_from_name

SUFFIXES = frozenset({".ogg", ".oga", ".opus", ".mp3", ".flac", ".wav", ".m4a"}) | TRACKER_SUFFIXES
MIN_TRACK_S = 40.0


@dataclass(frozen=True)
class Track:
    id: str
    """``package/stem``, unique and stable."""
    package: str
    split: str
    path: Path
    title: str
    artist: str
    album: str
    genre: str
    year: int | None
    licence: str
    duration_s: float

    @property
    def family(self) -> str:
        """What two tracks share that count as alike when retrieval is measured: artist, else album."""
        return (self.artist or self.album).casefold()


def list_tracks(package: Package, root: Path, *, min_s: float = MIN_TRACK_S) -> list[Track]:
    """Tracks of one unpacked package, sorted by path, shorter ones and unreadable files left out."""
    found: dict[str, Track] = {}
    for path in sorted(_media(package, root)):
        try:
            tags = read_tags(path)
        except MediaError:
            continue
        if tags.duration_s >= min_s:
            track = _track(package, path, tags, taken=set(found))
            found[track.id] = track
    times = Counter(track.title for track in found.values())
    return [replace(track, title=_title(track, repeated=times[track.title] > 1)) for track in found.values()]


def _title(track: Track, *, repeated: bool) -> str:
    """The file's own title, unless several files have it (tags that were copied) or it is a mere number."""
    return named_after_album(title_from_name(track.path) if repeated else track.title, track.album)


def _media(package: Package, root: Path) -> set[Path]:
    return {path for path in package.files(root, "music")
            if path.suffix.lower() in SUFFIXES and not path.is_symlink()}


def _track(package: Package, path: Path, tags: Tags, taken: set[str]) -> Track:
    stem = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "track"
    names = [f"{package.name}/{stem}", *(f"{package.name}/{stem}-{n}" for n in range(2, 100))]
    return Track(
        id=next(name for name in names if name not in taken),
        package=package.name,
        split=package.split or "unlisted",
        path=path,
        title=tags.title or title_from_name(path),
        artist=package.artist_from.get(path.stem) or tags.artist or package.artist or "",
        album=tags.album or package.album or "",
        genre=tags.genre or package.genre or "",
        year=tags.year or package.year,
        licence=package.licence,
        duration_s=tags.duration_s,
    )
