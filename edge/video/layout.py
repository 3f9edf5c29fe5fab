"""Where light and colour lie in a picture, in 53 numbers: what tells two shots of the same things apart.

The lowest frequencies of a thumbnail's luma and colour differences, as in the MPEG-7 colour layout descriptor
(Kasutani and Yamada, ICIP 2001). Blur, noise, small crops and a change of brightness hardly move them.
"""

import numpy as np

THUMB_PX = 32
LUMA_FREQUENCIES, COLOUR_FREQUENCIES = 6, 3
"""So many along each side; the luma's mean, which brightness changes most, is left out."""
DIMENSION = LUMA_FREQUENCIES**2 - 1 + 2 * COLOUR_FREQUENCIES**2
LEAST_NORM = 1.0
"""Of the coefficients: below a thirtieth of a grey level there is only rounding."""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Of red, green and blue: ITU-R BT.601."""


def layout(thumb: np.ndarray) -> np.ndarray:
    """np.ndarray [shape=(32, 32, 3), dtype=uint8], RGB -> unit vector [shape=(53,), dtype=float32].

    Next to zero for a picture of one grey, which has none.
    """
    colours = thumb.astype(np.float32)
    luma = colours @ LUMA
    red, blue = colours[:, :, 0] - luma, colours[:, :, 2] - luma
    parts = (_lowest(luma, LUMA_FREQUENCIES)[1:], _lowest(red, COLOUR_FREQUENCIES), _lowest(blue, COLOUR_FREQUENCIES))
    coefficients = np.concatenate(parts)
    return coefficients / max(float(np.linalg.norm(coefficients)), LEAST_NORM)


def _cosines() -> np.ndarray:
    """The first rows of the orthonormal discrete cosine transform (DCT-II): float32 (6, 32)."""
    frequency, at = np.arange(LUMA_FREQUENCIES)[:, np.newaxis], np.arange(THUMB_PX)[np.newaxis]
    rows = np.cos(np.pi * frequency * (2 * at + 1) / (2 * THUMB_PX)) * np.sqrt(2 / THUMB_PX)
    rows[0] /= np.sqrt(2)
    return rows.astype(np.float32)


COSINES = _cosines()


def _lowest(plane: np.ndarray, frequencies: int) -> np.ndarray:
    rows = COSINES[:frequencies]
    return (rows @ plane @ rows.T).ravel()
