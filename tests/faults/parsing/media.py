"""Media files as a catalogue is built of them: their tags, their sound, their pictures."""

from pathlib import Path

import av
import mutagen
import numpy as np
import soundfile

from edge.audio.source import open_audio
from edge.demo import clips
from edge.video.source import open_video
from export.catalog.facts import film_fields, track_fields
from export.catalog.scan import media_file
from export.data.tags import read_tags
from tests.faults.parsing.parser import Opened, Parser

RATE_HZ, SECONDS = 16000, 0.4
FORMATS = ("wav", "flac", "ogg", "mp3")
FILM_FRAMES_PER_S, PIECE_SAMPLES = 10, 800
FILM_BYTES = 60_000
"""Of the sample film, whose description comes first."""


def _sounds(folder: Path) -> list[tuple[str, bytes]]:
    tone = (0.3 * np.sin(np.arange(int(RATE_HZ * SECONDS)) / 9)).astype(np.float32)
    seeds = []
    for kind in FORMATS:
        path = folder / f"tone.{kind}"
        soundfile.write(path, tone, RATE_HZ)
        tags = mutagen.File(path, easy=True)
        if tags.tags is None:
            tags.add_tags()
        for key, value in {"title": "Tone", "artist": "Nobody", "date": "2020"}.items() if kind != "wav" else ():
            tags[key] = value
        tags.save()
        seeds.append((path.name, path.read_bytes()))
    return seeds


def _tags(folder: Path) -> Opened:
    def parse(key: str, content: bytes) -> None:
        (folder / key).write_bytes(content)
        track_fields(media_file(folder / key, name=key), duration_s=SECONDS)
        read_tags(folder / key)

    return _sounds(folder), parse


def _sound(folder: Path) -> Opened:
    def parse(key: str, content: bytes) -> None:
        (folder / key).write_bytes(content)
        with open_audio(f"file:{folder / key}", sample_rate_hz=RATE_HZ) as source:
            while source.read() is not None:
                pass

    return _sounds(folder), parse


def _film(folder: Path) -> Opened:
    path = folder / "film.mp4"
    film = next(clip for clip in clips() if clip.suffix == ".mp4")

    def parse(_key: str, content: bytes) -> None:
        path.write_bytes(content)
        film_fields(media_file(path, name=path.name))

    return [("", film.read_bytes()[:FILM_BYTES])], parse


def _pictures(folder: Path) -> Opened:
    """A film's pictures and its sound, through the decoders."""
    path = folder / "film.mp4"

    def parse(_key: str, content: bytes) -> None:
        path.write_bytes(content)
        with open_video(f"file:{path}", frames_per_s=2.0) as pictures:
            while pictures.read() is not None:
                pass
        with open_audio(f"file:{path}", sample_rate_hz=RATE_HZ) as sound:
            while sound.read() is not None:
                pass

    return [("", _short_film(folder))], parse


def _short_film(folder: Path) -> bytes:
    """A second of grey noise and a tone, H.264 and AAC."""
    path, chance = folder / "seed.mp4", np.random.default_rng(0)
    with av.open(str(path), "w") as film:
        pictures, sound = film.add_stream("libx264", rate=FILM_FRAMES_PER_S), film.add_stream("aac", rate=RATE_HZ)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        for _ in range(FILM_FRAMES_PER_S):
            image = np.repeat(chance.integers(0, 256, (48, 64, 1), dtype=np.uint8), 3, axis=2)
            film.mux(pictures.encode(av.VideoFrame.from_ndarray(image)))
        tone = (9000 * np.sin(np.arange(RATE_HZ) / 9)).astype(np.int16)
        for piece in np.split(tone, RATE_HZ // PIECE_SAMPLES):
            frame = av.AudioFrame.from_ndarray(piece[np.newaxis], format="s16", layout="mono")
            frame.sample_rate = RATE_HZ
            film.mux(sound.encode(frame))
        for stream in (pictures, sound):
            film.mux(stream.encode(None))
    return path.read_bytes()


PARSERS = (Parser("tags", 12, _tags), Parser("sound", 4, _sound), Parser("film", 2, _film),
           Parser("pictures", 1, _pictures))
