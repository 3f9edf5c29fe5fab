"""The layout descriptor against OpenCV's own DCT, and what it is and is not moved by."""

import cv2
import numpy as np
import pytest

from edge.video.layout import DIMENSION, layout


def picture(seed: int = 0) -> np.ndarray:
    """A few smooth blobs of colour, uint8 (32, 32, 3)."""
    coarse = np.random.default_rng(seed).integers(0, 200, (4, 4, 3), np.uint8)
    return cv2.resize(coarse, (32, 32), interpolation=cv2.INTER_CUBIC)


def test_it_is_the_lowest_frequencies_of_luma_and_colour_differences():
    thumb = picture()
    red, green, blue = (thumb[:, :, channel].astype(np.float64) for channel in range(3))
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    by_hand = np.concatenate([cv2.dct(luma)[:6, :6].ravel()[1:], cv2.dct(red - luma)[:3, :3].ravel(),
                              cv2.dct(blue - luma)[:3, :3].ravel()])
    found = layout(thumb)
    assert (found.shape, found.dtype) == ((DIMENSION,), np.float32)
    np.testing.assert_allclose(found, by_hand / np.linalg.norm(by_hand), atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_brightness_and_noise_move_it_less_than_another_picture(seed):
    thumb = picture(seed)
    noise = np.random.default_rng(9).normal(0, 8, thumb.shape)
    worn = np.clip(thumb * 1.2 + noise, 0, 255).astype(np.uint8)
    assert layout(thumb) @ layout(worn) > 0.97 > layout(thumb) @ layout(picture(seed + 1)) + 0.1


def test_a_grey_picture_without_any_structure_has_none():
    assert not layout(np.full((32, 32, 3), 90, np.uint8)).round(3).any()
