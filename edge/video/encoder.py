"""One picture to one embedding; a blank picture to none, one like the last to the last."""

import numpy as np

from edge.bundle import Model
from edge.context import Embedding
from edge.engine.base import Engine
from edge.video import shot
from edge.video.frames import FramePreparer
from edge.video.motion import MotionMeter
from edge.video.source import Frame
from edge.views import EmbeddingReader

BLANK_DEVIATION = 2.0
"""A picture none of whose channels deviates by this much (of 255) shows nothing."""
LOOK_EVERY = 8
"""Every so many-th row and column is looked at to find that out."""
STATIC_CHANGE = 1.0
"""A picture whose thumbnail differs by less than this (of 255) on average from the one last encoded, and nowhere by
more than STATIC_PEAK, is the same: nothing would be learned from another inference (``python -m benchmarks gates``)."""
STATIC_PEAK = 12.0


class VideoEncoder:
    def __init__(self, model: Model, engine: Engine, *, skip_static: bool = True):
        """``skip_static``: a picture like the last encoded one takes over its vectors without an inference.

        Raises BundleError when the front end, the model and the engine's file do not fit together.
        """
        self._reader = EmbeddingReader(model, engine)
        self._preparer = FramePreparer(model.frontend, engine.input)
        self._engine, self._skip_static = engine, skip_static
        self._motion = MotionMeter()
        self._thumb: np.ndarray | None = None
        self._vectors: dict[str, np.ndarray] = {}
        self.blank_frames = self.static_frames = 0
        """Pictures that were not encoded because they showed nothing, or nothing new."""

    def reset(self) -> None:
        """What comes next does not continue what came before."""
        self._motion.reset()
        self._thumb = None

    @property
    def skipped(self) -> int:
        """Pictures that took no inference."""
        return self.blank_frames + self.static_frames

    def encode(self, frame: Frame) -> Embedding | None:
        """None for a blank picture, as between two scenes. Start and end are the time when it is seen."""
        if is_blank(frame.image):
            self.blank_frames += 1
            return None
        thumb = self._preparer.look(frame.image)
        if self._skip_static and self._thumb is not None and is_static(self._thumb, thumb):
            self.static_frames += 1
        else:
            self._thumb = thumb.copy()
            self._vectors = self._reader.read(self._engine.run(self._preparer.input()))
        vectors, moves = self._vectors, self._motion.push(thumb, frame.time_s)
        if "video" in vectors:
            vectors = {**vectors, shot.VIEW: shot.shot_vector(vectors["video"], thumb, moves)}
        return Embedding(modality="video", start_s=frame.time_s, end_s=frame.time_s, vectors=vectors)


def is_blank(image: np.ndarray) -> bool:
    """Whether a picture [shape=(h, w, 3), dtype=uint8] is of one colour."""
    deviations = image[::LOOK_EVERY, ::LOOK_EVERY].std(axis=(0, 1), dtype=np.float32)
    return bool((deviations < BLANK_DEVIATION).all())


def is_static(before: np.ndarray, now: np.ndarray) -> bool:
    """Whether two thumbnails [shape=(32, 32, 3), dtype=uint8] show the same."""
    change = np.abs(now.astype(np.int16) - before)
    return bool(change.mean() < STATIC_CHANGE and change.max() <= STATIC_PEAK)
