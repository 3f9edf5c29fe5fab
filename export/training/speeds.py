"""Training tracks a little slower or faster, pitch and tempo together: further music for the teacher to label.

There are few tracks and many ways to overfit them. At another speed a track is in another key and tempo, so it is new
to the student; and what the teacher says of it is not assumed to be the same but asked.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import soxr
from tqdm import tqdm

from export.data.corpus import Recording
from export.data.decode import SAMPLE_RATE_HZ

AT = "@"
"""No id of a track in a package has one."""


def at_speeds(recordings: Sequence[Recording], speeds: Sequence[float], folder: Path) -> list[Recording]:
    """Each recording once more, at the speeds by turns; kept in ``folder`` and memory-mapped."""
    if not speeds:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    wanted = tqdm(recordings, desc="speeds", unit="track", disable=None)
    return [_played(recording, speeds[number % len(speeds)], folder) for number, recording in enumerate(wanted)]


def source_of(track_id: str) -> str:
    """The id of the track that a track at another speed was made of; that of any other track is its own."""
    return track_id.partition(AT)[0]


def _played(recording: Recording, speed: float, folder: Path) -> Recording:
    track = replace(recording.track, id=f"{recording.track.id}{AT}{speed:g}")
    path = folder / f"{track.id.replace('/', '__')}.npy"
    if not path.exists():
        partial = path.with_suffix(".partial.npy")
        np.save(partial, soxr.resample(recording.sound, SAMPLE_RATE_HZ * speed, SAMPLE_RATE_HZ))
        partial.replace(path)
    return Recording(track, np.load(path, mmap_mode="r", allow_pickle=False))
