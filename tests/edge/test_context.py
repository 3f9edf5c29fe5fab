import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge.context import Context, ContextBuilder, Embedding, unit


def heard(start_s: float, *vector: float, length_s: float = 3.0) -> Embedding:
    return Embedding("audio", start_s, start_s + length_s, {"audio": unit(np.array(vector, np.float32))})


def seen(time_s: float, *vector: float) -> Embedding:
    return Embedding("video", time_s, time_s, {"video": unit(np.array(vector, np.float32))})


def test_nothing_was_heard_or_seen():
    context = ContextBuilder(seconds=12).context()
    assert context == Context()
    assert not context.hears
    assert not context.sees


def test_the_mean_of_the_windows_is_a_unit_vector_and_the_windows_stay_in_order():
    builder = ContextBuilder(seconds=12)
    builder.add(heard(0, 3, 0))
    builder.add(heard(1, 0, 4))
    context = builder.context()
    np.testing.assert_allclose(context.vectors["audio"], [2**-0.5, 2**-0.5], atol=1e-6)
    np.testing.assert_allclose(context.windows["audio"], [[1, 0], [0, 1]])
    assert context.seconds == 4.0
    assert (context.hears, context.sees) == (True, False)


def test_probabilities_are_means_over_the_windows_and_told_in_words():
    builder = ContextBuilder(seconds=12)
    for start_s, music, rock in ((0, 0.9, 0.3), (1, 0.5, 0.5)):
        builder.add(Embedding("audio", start_s, start_s + 3.0, {"audio": unit(np.ones(2))}, {
            "kind": {"speech": 1 - music, "music": music}, "tags": {"jazz": 0.05, "pop": 0.2, "rock": rock}}))
    context = builder.context()
    assert context.classes["kind"] == pytest.approx({"speech": 0.3, "music": 0.7})
    assert context.likeliest("tags", 3) == ["rock", "pop", "jazz"]
    assert context.told() == {"kind": "music", "tags": ["rock", "pop"]}
    np.testing.assert_array_equal(context.starts_s["audio"], [0, 1])


def test_speech_has_no_tags_and_a_model_that_does_not_classify_says_nothing():
    builder = ContextBuilder(seconds=12)
    builder.add(heard(0, 3, 0))
    assert builder.context().told() == {}
    builder.add(Embedding("audio", 1, 4, {"audio": unit(np.ones(2))}, {"kind": {"speech": 0.8, "music": 0.2}}))
    builder.clear("audio")
    builder.add(Embedding("audio", 1, 4, {"audio": unit(np.ones(2))},
                          {"kind": {"speech": 0.8, "music": 0.2}, "tags": {"rock": 0.9}}))
    assert builder.context().told() == {"kind": "speech", "tags": []}


def test_what_began_before_the_last_seconds_is_forgotten():
    builder = ContextBuilder(seconds=5)
    for start_s in range(10):
        builder.add(heard(start_s, start_s, 1))
    context = builder.context()
    assert len(context.windows["audio"]) == 3  # those that began at 7, 8 and 9 of the seconds 7 to 12
    np.testing.assert_allclose(context.windows["audio"][0], unit(np.array([7.0, 1.0])), atol=1e-6)


def test_a_window_longer_than_the_context_is_kept_while_it_is_the_last():
    builder = ContextBuilder(seconds=1)
    builder.add(heard(0, 1, 0))
    assert len(builder.context().windows["audio"]) == 1
    builder.add(heard(9, 0, 1))
    np.testing.assert_allclose(builder.context().windows["audio"], [[0, 1]])


def test_a_source_whose_clock_begins_anew_leaves_nothing_behind():
    """As a live stream's may, and a film's that comes round again."""
    builder = ContextBuilder(seconds=10)
    for _ in range(50):
        for time_s in range(8):
            builder.add(seen(time_s, 1.0, time_s))
    assert builder.context().starts_s["video"].tolist() == list(range(8))
    builder.add(seen(3, 0.0, 1.0))
    assert builder.context().starts_s["video"].tolist() == [0, 1, 2, 3]


def test_senses_do_not_push_each_other_out():
    builder = ContextBuilder(seconds=5)
    builder.add(seen(0, 1, 0))
    for start_s in range(60):
        builder.add(heard(start_s, 1, 0))
    context = builder.context()
    assert (context.hears, context.sees) == (True, True)
    assert len(context.windows["video"]) == 1


def test_a_lost_source_is_forgotten_alone():
    builder = ContextBuilder(seconds=5)
    builder.add(seen(0, 1, 0))
    builder.add(heard(0, 1, 0))
    builder.clear("audio")
    assert list(builder.context().vectors) == ["video"]
    builder.add(heard(0, 0, 1))
    np.testing.assert_allclose(builder.context().vectors["audio"], [0, 1])


def test_a_context_that_was_taken_does_not_change():
    builder = ContextBuilder(seconds=12)
    builder.add(heard(0, 1, 0))
    before = builder.context()
    builder.add(heard(1, 0, 1))
    np.testing.assert_allclose(before.vectors["audio"], [1, 0])


@pytest.mark.parametrize(("values", "right"), [
    ([3.0, 4.0], [0.6, 0.8]), ([0.0, 0.0], [0.0, 0.0]), ([[0.0, 2.0], [5.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]])])
def test_known_unit_vectors(values, right):
    result = unit(np.array(values))
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, right, atol=1e-7)


@given(arrays(np.float32, (3, 4), elements=st.floats(-1e4, 1e4, width=32)))
def test_lengths_are_one_or_zero(values):
    lengths = np.linalg.norm(unit(values), axis=-1)
    whole = np.linalg.norm(values.astype(np.float64), axis=-1) > 1e-10
    np.testing.assert_allclose(lengths[whole], 1, atol=1e-5)
    assert (lengths <= 1 + 1e-5).all()


def test_it_is_one_object_until_something_changes():
    """So that what was found for a context can be kept beside it."""
    builder = ContextBuilder(seconds=10)
    builder.add(heard(0.0, 1.0, 0.0))
    first = builder.context()
    assert builder.context() is first
    builder.add(heard(1.0, 0.0, 1.0))
    second = builder.context()
    assert second is not first
    assert second.windows["audio"].shape == (2, 2)
    builder.clear("audio")
    assert not builder.context().hears
