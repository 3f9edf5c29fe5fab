"""One contract for every runtime; the right answer is integer arithmetic over heads.npz (tests/data)."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge.engine.open import open_engine
from edge.errors import EngineError, ShapeError, UsageError

INPUT = arrays(np.int8, (1, 6, 4), elements=st.integers(-128, 127))


@pytest.fixture
def engine(runtime, heads):
    with open_engine(runtime, heads) as engine:
        yield engine


def test_the_input_of_real_zeros_gives_what_the_biases_say(engine):
    """Worked out by hand: hidden is the rectified bias over the divisor, (0 0 1 18 0 11 15 12) above its zero point
    of -128; the heads are 0.496 0.591 0.153 5.830 -8.966 and 0.365 6.147 -2.775, rounded, above 0 and 7."""
    first, second = engine.run(np.full((1, 6, 4), -3, np.int8))
    np.testing.assert_array_equal(first, [[0, 1, 0, 6, -9]])
    np.testing.assert_array_equal(second, [[7, 13, 4]])


def test_outputs_equal_integer_arithmetic(runtime, heads, right_answer):
    with open_engine(runtime, heads) as engine:
        exact = []

        @given(INPUT)
        def check(x):
            for got, right in zip(engine.run(x), right_answer(x), strict=True):
                # tflite-runtime multiplies by a fixed-point reciprocal of the divisor: one step of the grid.
                assert np.abs(got.astype(int) - right).max() <= 1
                exact.append(np.mean(got == right))

        check()
        assert np.mean(exact) > 0.97


def test_scales_and_zero_points_come_from_the_model(engine):
    assert engine.input.shape == (1, 6, 4)
    assert (engine.input.scale, engine.input.zero_point) == (pytest.approx(0.05), -3)
    assert [output.shape for output in engine.outputs] == [(1, 5), (1, 3)]
    assert [output.scale for output in engine.outputs] == pytest.approx([0.0078125, 0.01])
    assert [output.zero_point for output in engine.outputs] == [0, 7]
    assert {spec.dtype for spec in (engine.input, *engine.outputs)} == {np.dtype(np.int8)}


def test_results_are_int8_and_stay_valid_after_the_next_run_and_after_close(engine):
    rng = np.random.default_rng(5)
    first, second = (rng.integers(-128, 128, engine.input.shape, dtype=np.int8) for _ in range(2))
    kept = engine.run(first)
    before = [output.copy() for output in kept]
    engine.run(second)
    engine.close()
    assert all(output.dtype == np.int8 for output in kept)
    for output, right in zip(kept, before, strict=True):
        np.testing.assert_array_equal(output, right)


def test_input_that_is_not_contiguous_is_read_in_its_order(engine):
    wide = np.random.default_rng(6).integers(-128, 128, (1, 4, 6), dtype=np.int8)
    across = wide.transpose(0, 2, 1)
    for got, right in zip(engine.run(across), engine.run(across.copy()), strict=True):
        np.testing.assert_array_equal(got, right)


def test_input_is_left_as_it_was_and_may_be_read_only(engine):
    x = np.arange(24, dtype=np.int8).reshape(1, 6, 4)
    x.flags.writeable = False
    engine.run(x)
    np.testing.assert_array_equal(x.reshape(-1), np.arange(24))


def test_runtime_and_version_are_said(engine, runtime):
    assert engine.runtime == runtime
    assert any(character.isdigit() for character in engine.version)


@pytest.mark.parametrize("values", [
    np.zeros((1, 6, 5), np.int8), np.zeros((6, 4), np.int8), np.zeros((1, 6, 4), np.float32),
    np.zeros((1, 6, 4), np.uint8), np.zeros((0, 6, 4), np.int8), [[[0] * 4] * 6],
])
def test_a_wrong_shape_or_dtype_is_refused(engine, values):
    with pytest.raises(ShapeError, match=r"x: the model takes int8 \(1, 6, 4\), not "):
        engine.run(values)


def test_two_engines_of_one_model_do_not_disturb_each_other(runtime, heads, right_answer):
    ones, twos = np.ones((1, 6, 4), np.int8), np.full((1, 6, 4), 2, np.int8)
    with open_engine(runtime, heads) as one, open_engine(runtime, heads) as two:
        one.run(ones)
        two.run(twos)
        np.testing.assert_allclose(one.run(ones)[0].astype(int), right_answer(ones)[0], atol=1)


def test_an_engine_may_be_used_from_the_thread_that_did_not_open_it(engine, right_answer):
    x, got = np.full((1, 6, 4), 9, np.int8), []
    thread = threading.Thread(target=lambda: got.extend(engine.run(x)))
    thread.start()
    thread.join()
    np.testing.assert_allclose(got[0].astype(int), right_answer(x)[0], atol=1)


def test_more_threads_give_the_same_answer(runtime, heads, engine):
    x = np.random.default_rng(8).integers(-128, 128, (1, 6, 4), dtype=np.int8)
    with open_engine(runtime, heads, threads=2) as threaded:
        np.testing.assert_array_equal(threaded.run(x)[1], engine.run(x)[1])


def test_a_closed_engine_says_so_and_closes_twice(engine):
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        engine.run(np.zeros((1, 6, 4), np.int8))


def test_an_unknown_runtime_is_a_usage_error(models):
    with pytest.raises(UsageError, match="'tensorrt' is not one of litert, onnx"):
        open_engine("tensorrt", models / "heads.onnx")


def test_a_number_of_threads_below_one_is_a_usage_error(runtime, heads):
    with pytest.raises(UsageError, match="threads = 0 must be at least 1"):
        open_engine(runtime, heads, threads=0)
