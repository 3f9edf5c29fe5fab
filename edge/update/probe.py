"""Known inputs for a self-test, made by whole-number arithmetic: the same on every machine, for ever."""

import numpy as np

from edge.video.source import Frame

PERIODS = (160, 96, 61, 37, 23, 14)
"""Of the probe's saw-teeth, in samples: from low to high, a share of the sound each."""


def sound(samples: int) -> np.ndarray:
    """A staircase of saw-teeth with a hiss, np.ndarray [shape=(samples,), dtype=int16]."""
    at = np.arange(samples, dtype=np.int64)
    period = np.array(PERIODS, np.int64)[at * len(PERIODS) // max(samples, 1)]
    tooth = (at % period) * 12000 // period - 6000
    hiss = (at * 1103515245 + 12345) // 65536 % 1024 - 512
    return (tooth + hiss).astype(np.int16)


def picture(height: int = 240, width: int = 320) -> Frame:
    """Gradients, stripes and blocks, uint8 [shape=(height, width, 3)] in RGB."""
    rows, columns = np.mgrid[0:height, 0:width]
    red = columns * 255 // width
    green = (rows // 24 + columns // 32) % 2 * 200 + rows % 32
    blue = rows * 255 // height ^ columns % 64
    return Frame(np.stack([red, green, blue], axis=2).astype(np.uint8), 0.0)


def integers(shape: tuple[int, ...]) -> np.ndarray:
    """A pattern for a model without a front end, np.ndarray [shape=shape, dtype=int8]."""
    at = np.arange(int(np.prod(shape)), dtype=np.int64)
    return (at * 2654435761 // 4096 % 255 - 127).astype(np.int8).reshape(shape)
