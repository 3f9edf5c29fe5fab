"""One picture to one embedding."""

import numpy as np

from edge.bundle import Model
from edge.context import Embedding, unit
from edge.engine.base import Engine
from edge.engine.quantization import dequantize
from edge.video.frames import FramePreparer
from edge.video.source import Frame

FLAT_DEVIATION = 2.0
"""A picture whose grey values deviate less than this (of 255) is a blank screen and is not understood."""


class VideoEncoder:
    def __init__(self, model: Model, engine: Engine):
        self._preparer = FramePreparer(model.frontend, engine.input)
        self._engine, self._views = engine, [output.view for output in model.outputs]

    def encode(self, frame: Frame) -> Embedding | None:
        """None for a blank screen: black between two scenes says nothing."""
        if float(np.std(frame.image[::8, ::8])) < FLAT_DEVIATION:
            return None
        outputs = zip(self._views, self._engine.run(self._preparer.prepare(frame.image)), self._engine.outputs,
                      strict=True)
        return Embedding(
            modality="video", start_s=frame.time_s, end_s=frame.time_s,
            vectors={view: unit(dequantize(stored, spec)[0]) for view, stored, spec in outputs})
