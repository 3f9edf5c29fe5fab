"""A picture of any size to a model's int8 input: one resize and one table look-up per value."""

import numpy as np

from edge.engine.base import TensorSpec
from edge.engine.quantization import quantize
from edge.errors import BundleError, MediaError
from edge.manifest import Fields
from edge.video.opencv import opencv


class FramePreparer:
    """Buffers and tables are made once. A uint8 has 256 values, so (x - mean) / std and the rounding are a table."""

    def __init__(self, frontend: dict, spec: TensorSpec):
        """Raises BundleError when the front end is not one of pictures or does not fit the model's input."""
        fields = Fields(frontend, "the video model's frontend", BundleError)
        if fields.text("kind") != "image":
            raise BundleError(f"the video model's front end is of kind {frontend['kind']!r:.40}, not 'image'")
        if len(spec.shape) != 4 or spec.shape[0] != 1 or spec.shape[3] != 3:
            raise BundleError(f"the video model takes {spec.shape}; it must take (1, height, width, 3)")
        self._cv2 = opencv()
        _, self._height, self._width, _ = spec.shape
        self._resized = np.zeros((self._height, self._width, 3), np.uint8)
        self._input = np.zeros(spec.shape, np.int8)
        self._table = lookup_table(_triple(fields, "mean"), _triple(fields, "std"), spec)

    def prepare(self, image: np.ndarray) -> np.ndarray:
        """np.ndarray [shape=(h, w, 3), dtype=uint8], RGB -> int8 [shape=spec.shape], valid until the next call.

        The whole picture is resized, whatever its proportions: averaging when it shrinks, bilinear when it grows.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise MediaError(f"a picture must be uint8 (height, width, 3), not {image.dtype} {image.shape}")
        shrinks = image.shape[0] >= self._height and image.shape[1] >= self._width
        how = self._cv2.INTER_AREA if shrinks else self._cv2.INTER_LINEAR
        self._cv2.resize(image, (self._width, self._height), dst=self._resized, interpolation=how)
        for channel in range(3):
            self._input[0, :, :, channel] = self._table[channel][self._resized[:, :, channel]]
        return self._input


def lookup_table(mean: np.ndarray, std: np.ndarray, spec: TensorSpec) -> np.ndarray:
    """int8 level of each channel's 256 values: np.ndarray [shape=(3, 256), dtype=int8]."""
    values = (np.arange(256, dtype=np.float32)[np.newaxis] - mean[:, np.newaxis]) / std[:, np.newaxis]
    return quantize(values, spec)


def _triple(fields: Fields, key: str) -> np.ndarray:
    values = fields.rows(key)
    if len(values) != 3 or not all(isinstance(value, int | float) for value in values):
        raise BundleError(f"the video model's {key} {values!r:.80} must be three numbers")
    triple = np.array(values, np.float32)
    if not np.isfinite(triple).all() or (key == "std" and not (triple > 0).all()):
        raise BundleError(f"the video model's {key} {values!r:.80} must be finite" + (" and above 0" * (key == "std")))
    return triple
