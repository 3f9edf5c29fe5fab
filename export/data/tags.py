"""What a music file says of itself: title, artist, album, genre, year, duration."""

import re
from dataclasses import dataclass
from pathlib import Path

from edge.errors import MediaError
from export.data import openmpt


@dataclass(frozen=True)
class Tags:
    """Empty text and year None mean that the file does not say."""

    title: str
    artist: str
    album: str
    genre: str
    year: int | None
    duration_s: float


def read_tags(path: Path) -> Tags:
    """Raises MediaError when the file is not music that mutagen or libopenmpt knows."""
    return _of_tracker(path) if path.suffix.lower() in openmpt.SUFFIXES else _of_file(path)


def title_from_name(path: Path) -> str:
    """A readable title for a file without one: ``02-castle_theme.ogg`` -> ``Castle theme``."""
    words = re.sub(r"[_\-.\s]+", " ", "".join(c if c.isprintable() else "_" for c in path.stem)).strip()
    words = re.sub(r"^\d{1,3} +(?=\D)", "", words)
    return words[:1].upper() + words[1:] if words else "Untitled"


def named_after_album(title: str, album: str) -> str:
    """For a file that is only numbered: ``Track24`` of Drascula -> ``Drascula, track 24``; other titles as they are."""
    numbered = re.fullmatch(r"([^\W\d]+)[ -]?0*(\d+)", title)
    return f"{album}, {numbered[1].lower()} {numbered[2]}" if numbered and album else title


def _of_tracker(path: Path) -> Tags:
    with openmpt.Module(path) as module:
        return Tags(_printable(module.metadata("title")), _printable(module.metadata("artist")),
                    "", "", _year(module.metadata("date")), module.duration_s)


def _of_file(path: Path) -> Tags:
    import mutagen

    try:
        file = mutagen.File(path, easy=True)
    except Exception as error:  # its parsers raise whatever damaged bytes lead them to
        raise MediaError(f"{path}: its tags cannot be read: {str(error) or type(error).__name__}") from error
    if file is None:
        raise MediaError(f"{path}: not a kind of music file whose tags can be read")
    first = {key: _printable(str((file.tags or {}).get(key, [""])[0]))
             for key in ("title", "artist", "album", "genre", "date")}
    return Tags(first["title"], first["artist"], first["album"], first["genre"], _year(first["date"]),
                float(file.info.length))


def _printable(text: str) -> str:
    """One line without control characters, underscores and runs of blanks; nothing where it says nothing (``???``)."""
    line = " ".join("".join(c if c.isprintable() and c != "_" else " " for c in text).split())
    return line if any(c.isalnum() for c in line) else ""


def _year(text: str) -> int | None:
    found = re.match(r"(19|20)\d\d", text)
    return int(found.group()) if found else None
