import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.engine.base import TensorSpec
from edge.engine.quantization import dequantize, quantize


def spec(scale: float, zero_point: int) -> TensorSpec:
    return TensorSpec("x", (1,), np.dtype(np.int8), scale, zero_point)


def test_known_values():
    values = np.array([-1e9, -0.5, -0.25, 0.0, 0.25, 0.74, 1e9], np.float32)
    np.testing.assert_array_equal(quantize(values, spec(0.5, 10)), [-128, 9, 10, 10, 10, 11, 127])
    np.testing.assert_array_equal(dequantize(np.array([9, 10, 12], np.int8), spec(0.5, 10)), [-0.5, 0, 1])


@given(st.floats(1e-4, 10), st.integers(-128, 127), st.integers(-128, 127))
def test_every_level_survives_the_round_trip(scale, zero_point, level):
    grid = spec(scale, zero_point)
    stored = np.array([level], np.int8)
    np.testing.assert_array_equal(quantize(dequantize(stored, grid), grid), stored)


def test_writes_where_it_is_told():
    out = np.zeros(2, np.int8)
    assert quantize(np.array([1.0, 2.0]), spec(0.5, 0), out) is out
    np.testing.assert_array_equal(out, [2, 4])
