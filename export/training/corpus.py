"""The training sound: decoded tracks on disk, memory-mapped, with what the teacher said of each of their windows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.errors import ExportError
from export.data.corpus import Recording
from export.training.augment import LEAD_SAMPLES
from export.training.frontend import WINDOW_SAMPLES


@dataclass(frozen=True)
class LabelledTrack:
    """``sound``: int16 (samples,), memory-mapped. ``targets``: unit float32 (windows, 64); ``tags``: their tags'
    probabilities, float32 (windows, 50). Both of the windows that labels.py labels.
    """

    id: str
    family: str
    """Artist or album: tracks of one family count as alike when retrieval is measured."""
    sound: np.ndarray
    targets: np.ndarray
    tags: np.ndarray

    def window(self, start: int) -> np.ndarray:
        """The window from a sample on; int16 (48240,), kept inside the track."""
        start = int(np.clip(start, 0, len(self.sound) - WINDOW_SAMPLES))
        return self.sound[start : start + WINDOW_SAMPLES]

    def stretch(self, start: int, samples: int) -> np.ndarray:
        """So many samples from a start with what is heard before them, silence where there is nothing; int16."""
        joined = np.zeros(LEAD_SAMPLES + samples, np.int16)
        before = self.sound[max(0, start - LEAD_SAMPLES) : start]
        after = self.sound[start : start + samples]
        joined[LEAD_SAMPLES - len(before) : LEAD_SAMPLES] = before
        joined[LEAD_SAMPLES : LEAD_SAMPLES + len(after)] = after
        return joined


def labelled(recordings: Sequence[Recording], targets: Sequence[np.ndarray], tags: Sequence[np.ndarray]
             ) -> list[LabelledTrack]:
    """Join sound and labels; tracks too short for one window are left out. Raises ExportError when none is left."""
    tracks = [LabelledTrack(recording.track.id, recording.track.family or recording.track.package, recording.sound,
                            target, tag)
              for recording, target, tag in zip(recordings, targets, tags, strict=True) if len(target)]
    if not tracks:
        raise ExportError(f"none of {len(recordings)} tracks lasts for {WINDOW_SAMPLES} samples; add longer ones")
    return tracks
