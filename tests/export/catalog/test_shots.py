"""Cuts are where the picture jumps, and nowhere else."""

import itertools

import numpy as np
import pytest

from edge.errors import MediaError
from export.catalog.shots import THUMB_SIZE_PX, ShotFinder, change, find_cuts, find_shots, look_through

COLOURS = [(250, 40, 40), (40, 200, 60), (60, 60, 240), (240, 220, 50)]


def test_shots_of_a_film_are_found(tmp_path, write_film):
    shots = find_shots(write_film(tmp_path / "film.mp4", COLOURS))
    assert [round(shot.start_s, 1) for shot in shots] == [0, 1.5, 3, 4.5]
    assert shots[-1].end_s == pytest.approx(6, abs=0.1)
    assert all(before.end_s == after.start_s for before, after in itertools.pairwise(shots))


def test_a_film_of_one_shot_is_one_shot(tmp_path, write_film):
    assert len(find_shots(write_film(tmp_path / "film.mp4", COLOURS[:1]))) == 1


def test_shots_shorter_than_a_second_belong_to_the_one_before(tmp_path, write_film):
    shots = find_shots(write_film(tmp_path / "film.mp4", COLOURS * 2, shot_s=0.5))
    assert all(shot.end_s - shot.start_s >= 0.99 for shot in shots)


def test_a_jump_is_a_cut_and_a_pan_is_none():
    quiet = np.full(100, 2.0)
    jump = quiet.copy()
    jump[40] = 60
    assert find_cuts(jump, frames_per_s=24).tolist() == [40]
    pan = quiet.copy()
    pan[30:60] = 25
    assert find_cuts(pan, frames_per_s=24).tolist() == []
    assert find_cuts(quiet, frames_per_s=24).tolist() == []


def test_hue_is_a_circle():
    red, other_red, cyan = (np.full((2, 2, 3), (hue, 255, 255), np.int16) for hue in (1, 179, 91))
    assert change(red, other_red) == pytest.approx(2 * 255 / 180 / 3)
    assert change(red, cyan) == pytest.approx(90 * 255 / 180 / 3)
    assert change(red, red) == 0


def test_no_frames_no_shots():
    assert ShotFinder().shots() == []


def test_one_frame_is_a_shot():
    finder = ShotFinder()
    finder.push(np.zeros((36, 64, 3), np.uint8), 0.0)
    assert len(finder.shots()) == 1


def test_pictures_come_as_often_as_wanted(tmp_path, write_film):
    looks = list(look_through(write_film(tmp_path / "film.mp4", COLOURS[:2]), every_s=0.5))
    assert len(looks) == 72
    assert all(thumb.shape == (*THUMB_SIZE_PX[::-1], 3) for _, thumb, _ in looks)
    pictures = [(time_s, picture.shape) for time_s, _, picture in looks if picture is not None]
    assert [round(time_s, 1) for time_s, _ in pictures] == [0, 0.5, 1, 1.5, 2, 2.5]
    assert {shape for _, shape in pictures} == {(96, 160, 3)}


def test_a_film_that_breaks_off_is_used_up_to_there(tmp_path, write_film):
    path = write_film(tmp_path / "film.mkv", COLOURS, sound=False)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    assert 1 <= len(find_shots(path)) <= 4


@pytest.mark.parametrize("content", [b"", b"no film at all" * 100])
def test_what_is_no_film_is_named(tmp_path, content):
    (tmp_path / "film.mp4").write_bytes(content)
    with pytest.raises(MediaError, match=r"film\.mp4: cannot be decoded as film: [A-Z]"):
        find_shots(tmp_path / "film.mp4")


def test_sound_alone_is_no_film(tmp_path, write_track):
    with pytest.raises(MediaError, match=r"tone\.wav: cannot be decoded as film"):
        find_shots(write_track(tmp_path / "tone.wav"))
