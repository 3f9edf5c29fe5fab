"""The sample sound and film that the scripts play."""

from pathlib import Path

from edge.demo import CLIPS, FILM_SUFFIXES, SOUND_SUFFIXES, clips
from edge.errors import MediaError


def sample_clips() -> tuple[Path, Path]:
    """A sound file and a film. Raises MediaError when the assets lack one."""
    found = clips()
    for suffixes in (SOUND_SUFFIXES, FILM_SUFFIXES):
        if not any(clip.suffix in suffixes for clip in found):
            raise MediaError(f"{CLIPS}: no sample clip of {' or '.join(suffixes)}; make assets")
    return (next(clip for clip in found if clip.suffix in SOUND_SUFFIXES),
            next(clip for clip in found if clip.suffix in FILM_SUFFIXES))
