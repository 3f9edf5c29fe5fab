"""What rooms make of a recording: where the pieces lie, and that the means are nearer to what a microphone hears."""

from collections import Counter

import numpy as np
import pytest
import torch

from edge.bundle import DEFAULT, open_bundle
from edge.context import Embedding, unit
from export.catalog.embed import RENDITIONS, SAMPLE_RATE_HZ, WINDOWS_VIEW, bundle_embedders
from export.catalog.worn import PIECE_SAMPLES, WINDOWS, in_rooms, worn
from export.data.decode import decode
from export.training.augment import LEAD_SAMPLES, Augmenter, RoomBank, Strength
from export.training.frontend import WINDOW_SAMPLES


def noise(samples: int) -> np.ndarray:
    return (np.random.default_rng(0).standard_normal(samples) * 3000).astype(np.int16)


@pytest.mark.parametrize("windows", [1, 5, WINDOWS, WINDOWS + 1, 2 * WINDOWS + 3])
@pytest.mark.parametrize("rest", [0, 15_999])
def test_every_window_lies_whole_in_one_piece_of_each_rendition(windows, rest):
    sound = noise(WINDOW_SAMPLES + (windows - 1) * SAMPLE_RATE_HZ + rest)
    begun = Counter()
    for first, piece in worn(sound, RENDITIONS):
        assert len(piece) <= PIECE_SAMPLES
        inside = (len(piece) - WINDOW_SAMPLES) // SAMPLE_RATE_HZ + 1
        begun.update(range(first, first + inside))
    assert begun == Counter(dict.fromkeys(range(windows), RENDITIONS))


def test_a_sound_shorter_than_a_window_is_one_piece():
    assert [(first, len(piece)) for first, piece in worn(noise(9_000), RENDITIONS)] == [(0, 9_000)] * RENDITIONS


def test_renditions_differ_and_are_the_same_every_time():
    sound = noise(PIECE_SAMPLES)
    pieces, again = ([piece for _, piece in worn(sound, RENDITIONS)] for _ in range(2))
    np.testing.assert_array_equal(pieces, again)
    assert all((pieces[0] != other).mean() > 0.5 for other in pieces[1:])


def test_vectors_are_the_means_of_all_renditions_and_silent_windows_stay_out():
    sound = noise(WINDOW_SAMPLES + 2 * SAMPLE_RATE_HZ)
    heard: list[np.ndarray] = []

    def embed(piece: np.ndarray) -> list[Embedding]:
        axes = np.eye(8, dtype=np.float32)
        heard.append(axes[len(heard) + 1])
        return [Embedding("audio", at, at + 3.0, {"recording": heard[-1], "audio": axes[0]}) for at in (0.0, 1.0, 2.0)]

    first, _, third = (Embedding("audio", at, at + 3.0, {"recording": np.eye(8, dtype=np.float32)[0],
                                                         "audio": np.ones(8, np.float32)}) for at in (0.0, 1.0, 2.0))
    made = in_rooms(sound, [first, third], "recording", embed, renditions=RENDITIONS)
    assert [window.start_s for window in made] == [0.0, 2.0]
    assert len(heard) == RENDITIONS
    for window in made:
        np.testing.assert_allclose(window.vectors["recording"], unit(first.vectors["recording"] + sum(heard)))
        np.testing.assert_array_equal(window.vectors["audio"], np.ones(8))


def test_in_the_mean_of_rooms_what_is_heard_is_nearer_to_the_means_than_to_the_clean_windows():
    embedders = bundle_embedders(open_bundle())
    sound = decode(DEFAULT.parent / "clips" / "not-in-the-catalogue.ogg")
    clean, means = (np.stack([window.vectors[WINDOWS_VIEW] for window in hear(sound)[WINDOWS_VIEW]])
                    for hear in (embedders.hear, embedders.hear_track))
    rooms = Augmenter(RoomBank(4, seed=1234), np.empty(0, np.int16))
    spans = torch.from_numpy(np.concatenate([np.zeros(LEAD_SAMPLES, np.int16), sound])[None].astype(np.float32))
    gains = []
    for seed in range(8):
        strength = Strength(room=1.0, noise=1.0, noise_db=(10.0, 10.0), voice=0.0)
        microphone = rooms(spans, strength, np.random.default_rng(seed))[0].numpy().astype(np.int16)
        heard = np.stack([window.vectors[WINDOWS_VIEW] for window in embedders.hear(microphone)[WINDOWS_VIEW]])
        gains.append(((means - clean) * heard).sum(axis=1).mean())
    assert np.mean(gains) > 0.01
