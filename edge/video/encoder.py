"""One picture to one embedding."""

import numpy as np

from edge.bundle import Model
from edge.context import Embedding
from edge.engine.base import Engine
from edge.video.frames import FramePreparer
from edge.video.source import Frame
from edge.views import EmbeddingReader

BLANK_DEVIATION = 2.0
"""A picture none of whose channels deviates by this much (of 255) shows nothing."""
LOOK_EVERY = 8
"""Every so many-th row and column is looked at to find that out."""


class VideoEncoder:
    def __init__(self, model: Model, engine: Engine):
        """Raises BundleError when the front end, the model and the engine's file do not fit together."""
        self._reader = EmbeddingReader(model, engine)
        self._preparer = FramePreparer(model.frontend, engine.input)
        self._engine = engine
        self.blank_frames = 0
        """Pictures that were not encoded because they showed nothing."""

    def encode(self, frame: Frame) -> Embedding | None:
        """None for a blank picture, as between two scenes. Start and end are the time when it is seen."""
        if is_blank(frame.image):
            self.blank_frames += 1
            return None
        vectors = self._reader.read(self._engine.run(self._preparer.prepare(frame.image)))
        return Embedding(modality="video", start_s=frame.time_s, end_s=frame.time_s, vectors=vectors)


def is_blank(image: np.ndarray) -> bool:
    """Whether a picture [shape=(h, w, 3), dtype=uint8] is of one colour."""
    deviations = image[::LOOK_EVERY, ::LOOK_EVERY].std(axis=(0, 1), dtype=np.float32)
    return bool((deviations < BLANK_DEVIATION).all())
