import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.engine.base import TensorSpec
from edge.errors import BundleError, MediaError
from edge.video.frames import FramePreparer

FRONTEND = {"kind": "image", "mean": [127, 120, 100], "std": [128, 100, 64]}


def spec(height=24, width=32, scale=1 / 128, zero_point=-1):
    return TensorSpec("image", (1, height, width, 3), np.dtype(np.int8), scale, zero_point)


def image(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)


def in_float(resized, spec):
    real = (resized.astype(np.float64) - FRONTEND["mean"]) / FRONTEND["std"]
    return np.clip(np.rint(real / spec.scale) + spec.zero_point, -128, 127)


@given(scale=st.floats(0.002, 0.1), zero_point=st.integers(-128, 127))
@settings(max_examples=30, deadline=None)
def test_the_table_is_the_formula(scale, zero_point):
    wanted, picture = spec(scale=scale, zero_point=zero_point), image(24, 32)
    found = FramePreparer(FRONTEND, wanted).prepare(picture)
    assert found.dtype == np.int8
    # Where float32 and float64 round a half differently, the steps differ by one.
    difference = np.abs(found[0] - in_float(picture, wanted))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.1


def test_shrinking_averages():
    prepared = FramePreparer(FRONTEND, spec()).prepare(image(24 * 3, 32 * 4))
    blocks = image(24 * 3, 32 * 4).reshape(24, 3, 32, 4, 3).mean(axis=(1, 3))
    assert np.abs(prepared[0] - in_float(np.rint(blocks), spec())).max() <= 3


def test_growing_is_bilinear():
    picture = image(10, 11)
    grown = cv2.resize(picture, (32, 24), interpolation=cv2.INTER_LINEAR)
    assert np.abs(FramePreparer(FRONTEND, spec()).prepare(picture)[0] - in_float(grown, spec())).max() <= 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (24, 32), (23, 3000), (2160, 3840)])
def test_any_size(shape):
    assert FramePreparer(FRONTEND, spec()).prepare(image(*shape)).shape == (1, 24, 32, 3)


def test_one_buffer_for_every_picture():
    preparer = FramePreparer(FRONTEND, spec())
    assert preparer.prepare(image(50, 60)) is preparer.prepare(image(20, 30))


def test_a_view_of_a_larger_picture():
    whole = image(100, 120)
    preparer = FramePreparer(FRONTEND, spec())
    expected = preparer.prepare(whole[::2, 10:90].copy()).copy()
    np.testing.assert_array_equal(preparer.prepare(whole[::2, 10:90]), expected)


@pytest.mark.parametrize("wrong", [
    np.zeros((24, 32), np.uint8), np.zeros((24, 32, 4), np.uint8), np.zeros((0, 32, 3), np.uint8),
    np.zeros((24, 32, 3)),
])
def test_other_arrays_are_refused(wrong):
    with pytest.raises(MediaError, match="a picture must be uint8"):
        FramePreparer(FRONTEND, spec()).prepare(wrong)


@pytest.mark.parametrize(("frontend", "said"), [
    ({}, "kind"),
    ({**FRONTEND, "kind": "mfcc"}, "of kind 'mfcc'"),
    ({**FRONTEND, "mean": [1, 2]}, "three numbers"),
    ({**FRONTEND, "mean": [1, 2, "3"]}, "three numbers"),
    ({**FRONTEND, "mean": [1, 2, float("nan")]}, "three numbers"),
    ({**FRONTEND, "std": [1, 2, 0]}, "above 0"),
    ({**FRONTEND, "std": None}, "a list"),
])
def test_impossible_front_ends_are_refused(frontend, said):
    with pytest.raises(BundleError, match=said):
        FramePreparer(frontend, spec())


def test_a_model_that_does_not_take_pictures_is_refused():
    with pytest.raises(BundleError, match=r"must take \(1, height, width, 3\)"):
        FramePreparer(FRONTEND, TensorSpec("x", (1, 3, 24, 32), np.dtype(np.int8), 1.0, 0))
