"""What training films choose, on pictures whose right answer is known."""

import numpy as np
import pytest

from benchmarks.shot_pictures import IN_MOTION, Seen
from benchmarks.shots import _reweighted, _strangers, choices, report
from edge.context import unit
from edge.video import layout, motion
from edge.video.shot import MOTION_WEIGHT, shot_vector


def shot(look: float, moves: int) -> dict[str, np.ndarray]:
    """A picture that looks between two others, and moves in one of the cells."""
    video = unit(np.array([1.0, look], np.float32))
    parts = [video, unit(np.ones(layout.DIMENSION, np.float32)), np.eye(motion.DIMENSION, dtype=np.float32)[moves]]
    parts[2] *= MOTION_WEIGHT
    return {"video": video, "shot": unit(np.concatenate(parts))}


def seen(pictures, films, judging) -> Seen:
    return Seen(np.arange(len(pictures)), np.array(films), np.array(judging),
                {view: np.stack([each[view] for each in pictures]) for view in ("video", "shot")})


@pytest.fixture
def known():
    """Three films of two shots; those of a film look nearly alike and move in different cells. The last one judges."""
    pictures = [shot(look, moves) for first in (0.0, 3.0, -3.0) for look, moves in ((first, 1), (first + 0.4, 2))]
    return seen(pictures, [0, 0, 1, 1, 2, 2], [False] * 4 + [True] * 2)


@pytest.fixture
def asked(known):
    """Each shot looks as the other one of its film does, and moves as itself."""
    pictures = [shot(look, moves) for first in (0.0, 3.0, -3.0) for look, moves in ((first + 0.4, 1), (first, 2))]
    return {IN_MOTION: seen(pictures, known.films, known.judging)}


def test_the_device_s_weight_changes_nothing():
    video, thumb = unit(np.ones(64, np.float32)), np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    moves = unit(np.arange(motion.DIMENSION, dtype=np.float32))
    vectors = shot_vector(video, thumb, moves)[np.newaxis]
    np.testing.assert_allclose(_reweighted(vectors, MOTION_WEIGHT), vectors, atol=1e-6)
    assert np.abs(_reweighted(vectors, 0.0)[0, -motion.DIMENSION :]).max() == 0


def test_motion_is_weighed_where_it_tells_shots_apart(known, asked):
    rows = {row.name: row.figures for row in choices(known.only(~known.judging), {
        name: pictures.only(~pictures.judging) for name, pictures in asked.items()})}
    assert rows["training films, motion weighs 0"]["shot_top1"] == "0.0000"
    assert rows["training films, motion weighs 0.8"]["shot_top1"] == "1.0000"
    assert rows["chosen by training films"]["motion_weight"].endswith(", 0.8")
    assert rows["training films, motion weighs 0"]["shots"] == 4


def test_strangers_do_not_meet_their_own_film(known, asked):
    within = (asked[IN_MOTION].vectors["shot"] @ known.vectors["shot"].T)
    others = np.where(known.films[:, np.newaxis] == known.films, -1, within).max(axis=1)
    np.testing.assert_allclose(_strangers(known, asked[IN_MOTION]), others, atol=0.01)


def test_only_test_films_judge(known, asked):
    rows = {row.name: row.figures for row in report(known, asked)}
    assert (rows[IN_MOTION]["pictures"], rows[IN_MOTION]["shots"]) == (2, 6)
