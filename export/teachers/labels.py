"""A teacher's embeddings of every third second of every track, kept on disk: they are the slow part."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from export.data.corpus import Recording
from export.teachers.base import Teacher

HOP_SAMPLES = 48_000


def window_starts(samples: int, window_samples: int) -> range:
    """First samples of the labelled windows of a track; none when it is shorter than a window."""
    return range(0, samples - window_samples + 1, HOP_SAMPLES)


def label(teacher: Teacher, recordings: Sequence[Recording], folder: Path, *, window_samples: int
          ) -> list[np.ndarray]:
    """Embed the windows of each recording, whatever of them ``folder`` lacks, with a progress bar.

    Returns one np.ndarray [shape=(windows, dimension), dtype=float32] per recording, memory-mapped.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bar = tqdm(recordings, desc=teacher.name, unit="track", disable=None)
    return [_label(teacher, recording, folder, window_samples) for recording in bar]


def _label(teacher: Teacher, recording: Recording, folder: Path, window_samples: int) -> np.ndarray:
    path = folder / f"{recording.track.id.replace('/', '__')}.npy"
    if not path.exists():
        starts = window_starts(len(recording.sound), window_samples)
        windows = [recording.sound[start : start + window_samples] for start in starts]
        embedded = teacher.embed(np.stack(windows)) if windows else np.empty((0, teacher.dimension), np.float32)
        partial = path.with_suffix(".partial.npy")
        np.save(partial, embedded)
        partial.replace(path)
    return np.load(path, mmap_mode="r", allow_pickle=False)
