"""The training sound: decoded tracks on disk, memory-mapped, with what the teacher said of each of their windows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.errors import ExportError
from export.data.corpus import Recording
from export.training.augment import LEAD_SAMPLES, SPAN_SAMPLES
from export.training.frontend import WINDOW_SAMPLES


@dataclass(frozen=True)
class LabelledTrack:
    """``sound``: int16 (samples,), memory-mapped. ``targets``: unit float32 (windows, dimension)."""

    id: str
    family: str
    """Artist or album: tracks of one family count as alike when retrieval is measured."""
    sound: np.ndarray
    targets: np.ndarray

    def window(self, start: int) -> np.ndarray:
        """The window from a sample on; int16 (48240,), kept inside the track."""
        start = int(np.clip(start, 0, len(self.sound) - WINDOW_SAMPLES))
        return self.sound[start : start + WINDOW_SAMPLES]

    def span(self, start: int) -> np.ndarray:
        """The same with what is heard before it, silence before the track's beginning; int16 (57600,)."""
        start = int(np.clip(start, 0, len(self.sound) - WINDOW_SAMPLES))
        before = self.sound[max(0, start - LEAD_SAMPLES) : start]
        joined = np.zeros(SPAN_SAMPLES, np.int16)
        joined[LEAD_SAMPLES - len(before) : LEAD_SAMPLES] = before
        joined[LEAD_SAMPLES:] = self.sound[start : start + WINDOW_SAMPLES]
        return joined


def labelled(recordings: Sequence[Recording], targets: Sequence[np.ndarray]) -> list[LabelledTrack]:
    """Join sound and targets; tracks too short for one window are left out. Raises ExportError when none is left."""
    tracks = [LabelledTrack(recording.track.id, recording.track.family or recording.track.package, recording.sound,
                            np.asarray(target))
              for recording, target in zip(recordings, targets, strict=True) if len(target)]
    if not tracks:
        raise ExportError(f"none of {len(recordings)} tracks lasts for {WINDOW_SAMPLES} samples; add longer ones")
    return tracks
