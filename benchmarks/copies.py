"""How far apart are copies of a recording and other recordings, as the catalogue compares them?"""

import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.export_quality import CACHE_VARIABLE
from benchmarks.report import Row
from edge.firmware import FirmwareProfile

if TYPE_CHECKING:
    from export.catalog.embed import Embedders

EVERY = 4
"""Every so many-th track is encoded again."""
MOST_TRACKS, LONGEST_S = 120, 60.0
"""So many, evenly spread over the packages; the first minute of each."""
ENCODINGS = {
    "MP3 64 kbit/s": (".mp3", "libmp3lame", 44_100, 64_000, 0, 1.0),
    "MP3 32 kbit/s, 22 kHz": (".mp3", "libmp3lame", 22_050, 32_000, 0, 1.0),
    "Opus 32 kbit/s": (".opus", "libopus", 48_000, 32_000, 0, 1.0),
    "AAC 48 kbit/s, .5 s late, 9 dB quieter": (".m4a", "aac", 44_100, 48_000, -8_000, 0.35),
    "MP3 128 kbit/s, first 1.3 s cut": (".mp3", "libmp3lame", 44_100, 128_000, 20_800, 1.0),
}
"""Suffix, codec, rate, bits a second, samples cut at the start (below 0: silence before it), gain."""


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """Agreement (export/catalog/copies.py) of tracks with their encodings and of tracks of one length with others."""
    from export.catalog.choice import ModelChoice
    from export.catalog.copies import LEAST_AGREEMENT, LENGTH_SHARE, LENGTH_WINDOWS, agreement
    from export.data.fetch import DEFAULT_CACHE

    cache = Path(os.environ.get(CACHE_VARIABLE, DEFAULT_CACHE))
    embedders, known = ModelChoice().open(), []
    encoded: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as scratch:
        for number, (windows, sound) in enumerate(_tracks(cache, embedders)):
            known.append(windows)
            for name in ENCODINGS if number % EVERY == 0 else ():
                encoded[name].append(agreement(windows, _windows(_encode(sound, name, Path(scratch)), embedders)[0]))
    if len(known) < 2:
        return [Row("copies", {}, note=f"{cache} holds no music: run `make assets` once, or set {CACHE_VARIABLE}")]
    others = [agreement(a, b) for a, b in combinations(known, 2)
              if abs(len(a) - len(b)) <= max(LENGTH_WINDOWS, LENGTH_SHARE * max(len(a), len(b)))]
    return [_row(name, found, LEAST_AGREEMENT) for name, found in (*encoded.items(), ("other recordings", others))]


def _row(name: str, found: list[float], least: float) -> Row:
    if not found:
        return Row(name, {"pairs": 0})
    return Row(name, {"pairs": len(found), "least": min(found), "median": float(np.median(found)),
                      "most": max(found), "merged": sum(value >= least for value in found)})


def _tracks(cache: Path, embedders: "Embedders") -> Iterator[tuple[np.ndarray, np.ndarray]]:
    from export.data.fetch import fetch
    from export.data.recipes import load_packages, select
    from export.data.tracks import list_tracks

    paths = [track.path for package in select(load_packages(), "music")
             if (cache / "unpacked" / f"{package.name}-{package.version.replace(':', '_')}").is_dir()
             for track in list_tracks(package, fetch(package, cache))]
    for path in paths[:: max(1, -(-len(paths) // MOST_TRACKS))]:
        yield _windows(path, embedders)


def _windows(path: Path, embedders: "Embedders") -> tuple[np.ndarray, np.ndarray]:
    """The recording view's windows of a file as stored, int8 (n, d), and its sound, int16."""
    from export.catalog.vectors import as_stored
    from export.data.decode import decode

    sound = decode(path, max_s=LONGEST_S)
    return as_stored(np.stack([each.vectors["recording"] for each in embedders.hear(sound)["recording"]])), sound


def _encode(sound: np.ndarray, name: str, folder: Path) -> Path:
    import av

    suffix, codec, rate_hz, bit_rate, cut, gain = ENCODINGS[name]
    path = folder / f"copy{suffix}"
    shifted = sound[cut:] if cut > 0 else np.concatenate([np.zeros(-cut, np.int16), sound])
    frame = av.AudioFrame.from_ndarray((shifted * gain).astype(np.int16)[np.newaxis], "s16", "mono")
    frame.sample_rate = 16_000
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=rate_hz, layout="mono")
        stream.bit_rate = bit_rate
        converter = av.AudioResampler(format=stream.format.name, layout="mono", rate=rate_hz)
        written = 0
        for part in (*converter.resample(frame), *converter.resample(None)):
            part.pts, part.time_base, written = written, Fraction(1, rate_hz), written + part.samples
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path
