"""What a media file says of itself, as the fields of catalogue items."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.errors import MediaError
from export.catalog.packed import Understood
from export.catalog.scan import LONGEST_NAME, MediaFile
from export.catalog.shots import Shot
from export.data.tags import Tags, read_tags, title_from_name

SAID_BY_TAGS = ("artist", "album", "genre", "year")


def track_fields(file: MediaFile, *, duration_s: float) -> dict[str, Any]:
    """Fields of the Item of a track. Tags that cannot be read leave the file's name and the decoded length."""
    try:
        tags = read_tags(file.path)
    except MediaError:
        tags = Tags("", "", "", "", None, 0.0)
    return {
        "item": f"track:{short_name(file.name)}",
        "kind": "track",
        "title": tags.title or title_from_name(file.path),
        "artist": tags.artist or None,
        "album": tags.album or None,
        "genre": tags.genre or None,
        "year": tags.year,
        "duration_s": round(tags.duration_s or duration_s, 1),
        **_of_file(file),
    }


def film_fields(file: MediaFile) -> dict[str, Any]:
    """What the Items of a film's shots have in common; ``channel`` is the film. Raises MediaError."""
    said = _container(file.path)[0]
    year = said.get("date", "")[:4]
    return {
        "kind": "shot",
        "artist": said.get("artist"),
        "album": said.get("album"),
        "genre": said.get("genre"),
        "channel": said.get("title") or title_from_name(file.path),
        "year": int(year) if year.isascii() and year.isdigit() else None,
        **_of_file(file),
    }


def shot_fields(film: dict[str, Any], file: MediaFile, number: int, shot: Shot) -> dict[str, Any]:
    """Fields of the Item of one shot."""
    minutes, seconds = divmod(int(shot.start_s), 60)
    return {
        **film,
        "item": f"shot:{short_name(file.name)}/{number:04d}",
        "title": f"{film['channel']}, {minutes}:{seconds:02d}",
        "duration_s": round(shot.end_s - shot.start_s, 1),
        "start_s": round(shot.start_s, 1),
    }


def with_more_said(track: Understood, copies: Sequence[Understood]) -> Understood:
    """A track with what files of the same recording say and its own does not."""
    said = dict(track.fields)
    for copy in copies:
        if _named_after_file(said) and not _named_after_file(copy.fields):
            said["title"] = copy.fields["title"]
        said |= {key: copy.fields[key] for key in SAID_BY_TAGS if said[key] is None}
    return Understood(said, track.vectors)


def _named_after_file(fields: dict[str, Any]) -> bool:
    return fields["title"] == title_from_name(Path(fields["source"]))


def short_name(name: str) -> str:
    """A name fit for an identifier: printable, and when it is long the end of it with a digest of the whole."""
    printable = "".join(letter if letter.isprintable() else "_" for letter in name)
    if len(printable) <= LONGEST_NAME and printable == name:
        return name
    return f"{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:12]}~{printable[-80:]}"


def _of_file(file: MediaFile) -> dict[str, Any]:
    return {"source": short_name(file.name), "added_s": file.modified_ns / 1e9, **file.known}


def has_pictures(path: Path) -> bool:
    """Whether a container holds film; a sound recording in an .mp4 does not. Raises MediaError."""
    return _container(path)[1]


def _container(path: Path) -> tuple[dict[str, str], bool]:
    """A container's tags, and whether there are pictures in it that are not a cover."""
    import av

    try:
        with av.open(f"file:{path}", metadata_errors="ignore") as container:
            tags = {key.lower(): " ".join(text.split()) for key, text in container.metadata.items() if text.strip()}
            covers = av.stream.Disposition.attached_pic
            return tags, any(not stream.disposition & covers for stream in container.streams.video)
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"{path}: cannot be opened as film: {error.strerror or error}") from error
