import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.video.timing import FilmClock, Sampler


def times(clock, *stamps_s):
    return [round(clock.at(stamp_s), 6) for stamp_s in stamps_s]


def test_time_counts_from_the_first_stamp():
    assert times(FilmClock(25), 7.0, 7.04, 7.5) == [0, 0.04, 0.5]


def test_stamps_that_stand_still_or_jump_count_as_one_picture():
    assert times(FilmClock(25), 0.0, 0.0, 0.0) == [0, 0.04, 0.08]
    assert times(FilmClock(25), 95000.0, 95000.04, 0.0, 0.04) == [0, 0.04, 0.08, 0.12]
    assert times(FilmClock(25), 0.0, 5000.0, 5000.1) == [0, 0.04, 0.14]


@given(st.lists(st.floats(0, 100), min_size=1, max_size=80), st.sampled_from([0.2, 1.0, 5.0, 30.0]))
def test_one_picture_an_interval_and_none_missed(steps, frames_per_s):
    sampler = Sampler(frames_per_s)
    time_s, intervals = 0.0, set()
    for step in steps:
        time_s += step
        interval = int((time_s + 0.001) * frames_per_s)
        assert sampler.wants(time_s) == (interval not in intervals)
        intervals.add(interval)


@pytest.mark.parametrize("film_fps", [24, 25, 30, 50])
def test_a_rate_equal_to_the_films_takes_every_picture(film_fps):
    sampler = Sampler(film_fps)
    assert all(sampler.wants(round(number / film_fps, 3)) for number in range(1000))
