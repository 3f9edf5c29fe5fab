"""How far apart are copies of a recording and other recordings, and which thresholds do other packages choose?"""

import os
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.export_quality import CACHE_VARIABLE
from benchmarks.report import Figure, Row
from edge.firmware import FirmwareProfile

if TYPE_CHECKING:
    from export.catalog.embed import Embedders
    from export.data.corpus import Recording

CHOOSING, JUDGING = ("validation",), ("test", "unlisted")
EVERY = 4
"""Every so many-th track is encoded again."""
LONGEST_S = 60.0
"""The first minute of each track, so that all are of one length and every two of them are compared."""
MERGED_SHARE, OF_GAP, CENTRE_MARGIN = 0.99, 0.1, 2.0
"""Of the copies among the choosing packages, so many are to be merged. The agreement is a tenth of the gap to the other
recordings below what that takes; the centres, which only save time, may be twice as far from 1 as that takes."""
STEP = 0.01
"""Thresholds are rounded down to it."""
ENCODINGS = {
    "MP3 64 kbit/s": (".mp3", "libmp3lame", 44_100, 64_000, 0, 1.0),
    "MP3 32 kbit/s, 22 kHz": (".mp3", "libmp3lame", 22_050, 32_000, 0, 1.0),
    "Opus 32 kbit/s": (".opus", "libopus", 48_000, 32_000, 0, 1.0),
    "AAC 48 kbit/s, .5 s late, 9 dB quieter": (".m4a", "aac", 44_100, 48_000, -8_000, 0.35),
    "MP3 128 kbit/s, first 1.3 s cut": (".mp3", "libmp3lame", 44_100, 128_000, 20_800, 1.0),
}
"""Suffix, codec, rate, bits a second, samples cut at the start (below 0: silence before it), gain."""


@dataclass(frozen=True)
class Pairs:
    """How far pairs of tracks agree, and the cosines of their centres (export/catalog/copies.py)."""

    agreement: list[float] = field(default_factory=list)
    centre: list[float] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def add(self, first: np.ndarray, second: np.ndarray, name: str) -> None:
        from export.catalog.copies import agreement, centre_cosine

        self.agreement.append(agreement(first, second))
        self.centre.append(centre_cosine(first, second))
        self.names.append(name)

    def merged(self, least: float) -> np.ndarray:
        """Which are merged, of those whose centres let them be compared: bool (pairs,)."""
        from export.catalog.copies import LEAST_CENTRE

        return (np.array(self.agreement) >= least) & (np.array(self.centre) >= LEAST_CENTRE)


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """Agreement of tracks with encodings of themselves and with other tracks, on the test packages.

    Before that, the thresholds that the validation packages choose.
    """
    from export.catalog.choice import ModelChoice
    from export.catalog.copies import LEAST_AGREEMENT, LEAST_CENTRE
    from export.data.fetch import DEFAULT_CACHE

    cache = Path(os.environ.get(CACHE_VARIABLE, DEFAULT_CACHE))
    chosen_on, judged_on = _music(cache, CHOOSING), _music(cache, JUDGING)
    if len(chosen_on) < 2 or len(judged_on) < 2:
        return [Row("copies", {}, note=f"{cache} holds no music: run `make assets` once, or set {CACHE_VARIABLE}")]
    embedders = ModelChoice().open()
    chosen = choose(*_compare(chosen_on, embedders))
    used: dict[str, Figure] = {"least_agreement": LEAST_AGREEMENT, "least_centre": LEAST_CENTRE}
    copies, others = _compare(judged_on, embedders)
    return [Row("chosen by the validation packages", chosen), Row("used", used),
            *(_row(name, pairs, LEAST_AGREEMENT) for name, pairs in copies.items()),
            replace(_row("other recordings", others, LEAST_AGREEMENT), note=_named(others, LEAST_AGREEMENT)),
            *_curve(copies, others, LEAST_AGREEMENT)]


def choose(copies: dict[str, Pairs], others: Pairs) -> dict[str, Figure]:
    """Thresholds for export/catalog/copies.py."""
    agreements, centres = ([value for pairs in copies.values() for value in getattr(pairs, name)]
                           for name in ("agreement", "centre"))
    agreement, centre = (float(np.quantile(values, 1 - MERGED_SHARE, method="lower"))
                         for values in (agreements, centres))
    most = max(others.agreement)
    return {"pairs": len(agreements), "least_agreement": _rounded(agreement - OF_GAP * (agreement - most)),
            "least_centre": _rounded(1 - CENTRE_MARGIN * (1 - centre)), "least": agreement, "others_most": most}


def _rounded(threshold: float) -> float:
    return round(float(np.floor(threshold / STEP + 1e-9)) * STEP, 4)


def _row(name: str, pairs: Pairs, least: float) -> Row:
    return Row(name, {"pairs": len(pairs.agreement), "least": min(pairs.agreement),
                      "median": float(np.median(pairs.agreement)), "most": max(pairs.agreement),
                      "least_of_centres": min(pairs.centre), "merged": float(pairs.merged(least).mean())})


def _named(pairs: Pairs, least: float) -> str:
    """Those that are merged, whoever may judge whether they are one recording that two packages have."""
    return "; ".join(pairs.names[at] for at in np.flatnonzero(pairs.merged(least)))


def _curve(copies: dict[str, Pairs], others: Pairs, used: float) -> list[Row]:
    """By the agreement from which two tracks are one: which shares of the copies and of the others are merged."""
    rows = []
    for least in sorted({*(round(0.4 + number / 20, 2) for number in range(12)), used}):
        merged = [pairs.merged(least).mean() for pairs in copies.values()]
        rows.append(Row(f"from {least:.2f}" + " (used)" * (least == used), {
            "least_score": least, "copies_merged": float(np.mean(merged)),
            "others_merged": float(others.merged(least).mean())}))
    return rows


def _music(cache: Path, splits: tuple[str, ...]) -> "list[Recording]":
    """The tracks of the packages that the cache holds; nothing is fetched."""
    from export.data.corpus import open_corpus
    from export.data.fetch import unpacked_at
    from export.data.recipes import load_packages, select

    there = [package for package in select(load_packages(), "music")
             if package.split in splits and unpacked_at(package, cache).is_dir()]
    return open_corpus(there, cache)


def _compare(recordings: "list[Recording]", embedders: "Embedders") -> tuple[dict[str, Pairs], Pairs]:
    """Encoding to the tracks compared with it, and all tracks compared with each other."""
    from tqdm import tqdm

    known, copies, others = [], defaultdict[str, Pairs](Pairs), Pairs()
    with tempfile.TemporaryDirectory() as scratch:
        for number, recording in enumerate(tqdm(recordings, desc="tracks", unit="track", disable=None)):
            sound = np.array(recording.sound[: int(LONGEST_S * 16_000)])
            known.append(_windows(sound, embedders))
            for name in ENCODINGS if number % EVERY == 0 else ():
                coded = _windows(_encoded(sound, name, Path(scratch)), embedders)
                copies[name].add(known[-1], coded, recording.track.id)
    for first, second in combinations(range(len(known)), 2):
        others.add(known[first], known[second], f"{recordings[first].track.id} and {recordings[second].track.id}")
    return copies, others


def _windows(sound: np.ndarray, embedders: "Embedders") -> np.ndarray:
    """The recording view's windows as stored, int8 (n, d)."""
    from export.catalog.vectors import as_stored

    return as_stored(np.stack([each.vectors["recording"] for each in embedders.hear_track(sound)["recording"]]))


def _encoded(sound: np.ndarray, name: str, folder: Path) -> np.ndarray:
    """A sound through a codec and back: int16, 16 kHz."""
    import av

    from export.data.decode import decode

    suffix, codec, rate_hz, bit_rate, cut, gain = ENCODINGS[name]
    path = folder / f"copy{suffix}"
    shifted = sound[cut:] if cut > 0 else np.concatenate([np.zeros(-cut, np.int16), sound])
    frame = av.AudioFrame.from_ndarray((shifted * gain).astype(np.int16)[np.newaxis], "s16", "mono")
    frame.sample_rate, frame.pts = 16_000, 0
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=rate_hz, layout="mono")
        stream.bit_rate = bit_rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return decode(path, max_s=LONGEST_S)
