"""Motion by hand, its memory, and the shot vector that it is a part of."""

import numpy as np
import pytest

from edge.video.motion import DIMENSION, MotionMeter, motion
from edge.video.shot import MOTION_WEIGHT, shot_dimension, shot_space, shot_vector


def grey(value: int, *, corner: int | None = None) -> np.ndarray:
    """A thumbnail of one grey, with another one in the upper left cell."""
    thumb = np.full((32, 32, 3), value, np.uint8)
    if corner is not None:
        thumb[:8, :8] = corner
    return thumb


def test_the_cell_that_changes_says_so():
    luma = np.full((32, 32), 100, np.float32)
    moved = luma.copy()
    moved[8:16, 24:32] += 9
    by_hand = np.zeros(DIMENSION)
    by_hand[0], by_hand[1 + 1 * 4 + 3] = 1, 3
    np.testing.assert_allclose(motion(luma, moved), by_hand / np.sqrt(10), atol=1e-6)
    np.testing.assert_array_equal(motion(luma, moved), motion(moved, luma))


def test_a_picture_is_compared_with_the_latest_of_half_a_second_ago_or_more():
    meter = MotionMeter()
    assert not meter.push(grey(0), 0.0).any(), "nothing before it"
    assert not meter.push(grey(50), 0.25).any(), "too young"
    found = meter.push(grey(100), 0.75)
    assert found[1] / found[0] == pytest.approx(np.sqrt(50)), "with that of 0.25 s"
    assert not meter.push(grey(100), 5.0).any(), "too old"


def test_a_still_picture_has_no_motion_and_is_not_unknown():
    meter = MotionMeter()
    meter.push(grey(80), 0.0)
    still = meter.push(grey(80), 1.0)
    assert still[0] == 1
    assert not still[1:].any()


@pytest.mark.parametrize("times_s", [[3.0, 0.0], [0.0, 0.0], [9.0, 8.9]])
def test_time_that_goes_back_is_no_moment_ago(times_s):
    meter = MotionMeter()
    for time_s in times_s:
        assert not meter.push(grey(80, corner=int(time_s)), time_s).any()


def test_after_a_reset_nothing_is_known():
    meter = MotionMeter()
    meter.push(grey(80), 0.0)
    meter.reset()
    assert not meter.push(grey(90), 1.0).any()


def test_the_parts_of_a_shot_vector_have_their_weights():
    video, thumb = np.zeros(4, np.float32), grey(80, corner=200)
    video[2] = 1
    moves = np.zeros(DIMENSION, np.float32)
    moves[0] = 1
    vector = shot_vector(video, thumb, moves)
    assert vector.shape == (shot_dimension(4),) == (74,)
    length = np.sqrt(2 + MOTION_WEIGHT**2)
    assert [np.linalg.norm(part) for part in (vector[:4], vector[4:57], vector[57:])] == pytest.approx(
        [1 / length, 1 / length, MOTION_WEIGHT / length])


def test_the_space_is_that_of_the_video_vectors_and_the_parts():
    assert shot_space("v@1") == "v@1+layout53+motion17" != shot_space("v@2")
