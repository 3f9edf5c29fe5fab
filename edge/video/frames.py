"""A picture of any size to a thumbnail and a model's int8 input: two resizes, one table look-up per value."""

from typing import Any

import numpy as np

from edge.engine.base import TensorSpec
from edge.engine.quantization import quantize
from edge.errors import BundleError, MediaError
from edge.manifest import Fields
from edge.video.layout import THUMB_PX
from edge.video.opencv import opencv


class FramePreparer:
    """Buffers and tables are made once.

    A channel's value is one of 256, so (value - mean) / std and the rounding to int8 are a table, and exact.
    """

    def __init__(self, frontend: dict[str, Any], spec: TensorSpec):
        """Raises BundleError when the front end is not one of pictures or does not fit the model's input."""
        fields = Fields(frontend, "the video model's frontend", BundleError)
        if fields.text("kind") != "image":
            raise BundleError(f"the video model's front end is of kind {frontend['kind']!r:.40}, not 'image'")
        if len(spec.shape) != 4 or spec.shape[0] != 1 or spec.shape[3] != 3:
            raise BundleError(f"the video model takes {spec.shape}; it must take (1, height, width, 3)")
        self._cv2 = opencv()
        self._resized = np.zeros(spec.shape[1:], np.uint8)
        self._thumb = np.zeros((THUMB_PX, THUMB_PX, 3), np.uint8)
        self._input = np.zeros(spec.shape, np.int8)
        table = lookup_table(_triple(fields, "mean"), _triple(fields, "std"), spec)
        self._table = np.ascontiguousarray(table.T)[np.newaxis]

    def look(self, image: np.ndarray) -> np.ndarray:
        """Resize the whole picture, whatever its proportions, by averaging (bilinearly where it grows).

        np.ndarray [shape=(h, w, 3), dtype=uint8], RGB -> its thumbnail [shape=(32, 32, 3), dtype=uint8], valid
        until the next call; the model's input of the same picture is ``input``.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise MediaError(f"a picture must be uint8 (height, width, 3), not {image.dtype} {image.shape}")
        height, width, _ = self._resized.shape
        shrinks = image.shape[0] >= height and image.shape[1] >= width
        how = self._cv2.INTER_AREA if shrinks else self._cv2.INTER_LINEAR
        self._cv2.resize(image, (width, height), dst=self._resized, interpolation=how)
        self._cv2.resize(self._resized, (THUMB_PX, THUMB_PX), dst=self._thumb, interpolation=self._cv2.INTER_AREA)
        return self._thumb

    def input(self) -> np.ndarray:
        """What the model takes of the picture last looked at: int8 [shape=spec.shape], valid until the next look."""
        self._cv2.LUT(self._resized, self._table, dst=self._input[0])
        return self._input

    def prepare(self, image: np.ndarray) -> np.ndarray:
        """Both at once: np.ndarray [shape=(h, w, 3), dtype=uint8], RGB -> int8 [shape=spec.shape]."""
        self.look(image)
        return self.input()


def lookup_table(mean: np.ndarray, std: np.ndarray, spec: TensorSpec) -> np.ndarray:
    """The model's int8 for each value of each channel: np.ndarray [shape=(3, 256), dtype=int8]."""
    values = (np.arange(256, dtype=np.float32)[np.newaxis] - mean[:, np.newaxis]) / std[:, np.newaxis]
    return quantize(values, spec)


def _triple(fields: Fields, key: str) -> np.ndarray:
    values = fields.rows(key)
    if len(values) != 3 or not all(isinstance(value, int | float) and abs(value) < 1e9 for value in values):
        raise BundleError(f"the video model's {key} {values!r:.80} must be three numbers")
    if key == "std" and not min(values) > 0:
        raise BundleError(f"the video model's std {values!r:.80} must be above 0")
    return np.array(values, np.float32)
