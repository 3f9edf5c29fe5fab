"""Simulated rooms against acoustics."""

import numpy as np
import pytest

from export.training.rooms import MAX_RESPONSE_SAMPLES, RATE_HZ, Room, impulse_response, random_room


def _room(reverberation_s, distance_m=2.0):
    return Room(np.array([6.0, 5.0, 3.0]), np.array([1.0, 2.5, 1.5]), np.array([1.0 + distance_m, 2.5, 1.5]),
                reverberation_s)


def test_it_starts_with_the_direct_sound_and_has_energy_one():
    response = impulse_response(_room(0.3))
    assert response[0] == response.max()
    assert np.sum(response**2) == pytest.approx(1, rel=1e-5)
    assert len(response) <= MAX_RESPONSE_SAMPLES


def test_the_floor_answers_when_its_mirror_image_would():
    """Source and microphone 2 m apart, both 1.5 m above the floor: the image path is sqrt(2^2 + 3^2) m long."""
    response = impulse_response(_room(0.3))
    late = round((np.sqrt(13) - 2) * RATE_HZ / 343)
    assert response[late] > 0
    assert not response[1:round((3.0 - 2) * RATE_HZ / 343)].any()


def test_a_livelier_room_decays_more_slowly():
    def decay_s(response):
        left = np.cumsum(response[::-1] ** 2)[::-1]
        return np.argmax(left < 1e-2 * left[0]) / RATE_HZ

    assert decay_s(impulse_response(_room(0.2))) < decay_s(impulse_response(_room(0.5)))


def test_farther_means_more_room():
    assert impulse_response(_room(0.3, 0.5))[0] > impulse_response(_room(0.3, 3.0))[0]


def test_random_rooms_are_possible_and_repeatable():
    rooms = [random_room(np.random.default_rng(seed)) for seed in range(20)]
    for room in rooms:
        assert (room.source_m > 0).all()
        assert (room.source_m < room.size_m).all()
        assert np.isfinite(impulse_response(room)).all()
    assert random_room(np.random.default_rng(3)).reverberation_s == rooms[3].reverberation_s
