"""The bundle's own models and a teacher, behind one interface each."""

import numpy as np
import pytest

from edge.bundle import open_bundle
from edge.errors import ExportError
from edge.video.source import Frame
from export.catalog.embed import SAMPLE_RATE_HZ, TeacherSound, bundle_embedders
from export.teachers.projection import Projection


class Loudness:
    """A teacher small enough to be understood: mean square of each of 8 parts of a second."""

    name, rate_hz, window_samples, dimension, licence = "loudness", SAMPLE_RATE_HZ, SAMPLE_RATE_HZ, 8, "none"

    def embed(self, windows: np.ndarray) -> np.ndarray:
        scaled = windows.astype(np.float32) / 32768
        return np.square(scaled).reshape(len(windows), 8, -1).mean(axis=2)


@pytest.fixture
def projection():
    return Projection("loudness", np.zeros(8, np.float32), np.ones(8, np.float32), np.eye(8, dtype=np.float32)[:, :4])


@pytest.fixture(scope="module")
def embedders():
    return bundle_embedders(open_bundle())


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    samples = np.random.default_rng(seed).standard_normal(int(seconds * SAMPLE_RATE_HZ)) * 3000
    return samples.astype(np.int16)


def test_every_view_of_the_bundle_is_filled(embedders):
    bundle = open_bundle()
    assert {view: spec.space for view, spec in embedders.views.items()} == bundle.spaces()
    assert [view for view, spec in embedders.views.items() if spec.windows] == ["recording", "shot"]
    heard = embedders.hear(noise(8))
    assert heard.keys() == {"audio", "recording"}
    assert [round(embedding.start_s) for embedding in heard["audio"]] == [0, 1, 2, 3, 4]
    seen = embedders.pictures.embed(Frame(np.random.default_rng(1).integers(0, 255, (90, 160, 3), np.uint8), 4.0))
    assert {view: vector.shape for view, vector in seen.vectors.items()} == {"video": (64,), "shot": (134,)}


def test_the_same_sound_gives_the_same_after_another(embedders):
    first = embedders.hear(noise(5))["audio"][0].vectors["audio"]
    embedders.hear(noise(7.3, 1))
    np.testing.assert_array_equal(embedders.hear(noise(5))["audio"][0].vectors["audio"], first)


def test_silence_and_blank_pictures_give_nothing(embedders):
    assert embedders.hear(np.zeros(80_000, np.int16))["audio"] == []
    assert embedders.pictures.embed(Frame(np.zeros((90, 160, 3), np.uint8), 0.0)) is None


def test_a_teacher_hears_window_after_window(projection):
    sound = noise(7.5)
    sound[3 * SAMPLE_RATE_HZ : 4 * SAMPLE_RATE_HZ] = 0
    found = TeacherSound(Loudness(), projection).embed(sound)
    assert [(embedding.start_s, embedding.end_s) for embedding in found] == [(0, 1), (6, 7)]
    by_hand = projection.apply(Loudness().embed(sound[np.newaxis, :SAMPLE_RATE_HZ]))[0]
    np.testing.assert_allclose(found[0].vectors["audio"], by_hand)


def test_a_short_sound_is_repeated(projection):
    found = TeacherSound(Loudness(), projection).embed(noise(0.4))
    assert len(found) == 1
    assert TeacherSound(Loudness(), projection).embed(np.empty(0, np.int16)) == []


def test_a_teacher_of_another_space_is_refused(projection):
    with pytest.raises(ExportError, match=r"the teacher embeds the audio view into 'loudness-pca4@.*, the bundle"):
        bundle_embedders(open_bundle(), teacher=TeacherSound(Loudness(), projection))


def test_a_teacher_of_another_rate_is_refused(projection):
    teacher = Loudness()
    teacher.rate_hz = 44_100
    with pytest.raises(ExportError, match="teacher loudness takes 44100 Hz"):
        TeacherSound(teacher, projection)


def test_a_teacher_takes_over_its_view(embedders, projection):
    from dataclasses import replace

    both = replace(embedders, sound=[*embedders.sound, TeacherSound(Loudness(), projection)])
    assert both.views["audio"].space == projection.space
    assert both.identity != embedders.identity
    heard = both.hear(noise(5))
    assert heard["audio"][0].vectors["audio"].shape == (4,)
    assert heard["recording"][0].vectors["recording"].shape == (64,)
