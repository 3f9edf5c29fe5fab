"""One contract for every runtime; the right answer is integer arithmetic over heads.npz (tests/data)."""

from pathlib import Path

import numpy as np
import pytest

from edge.engine.open import open_engine
from edge.errors import ModelFileError, RuntimeMissingError, ShapeError, UsageError

MODELS = Path(__file__).resolve().parents[2] / "data" / "engine"
FILES = {"litert": "heads.tflite", "onnx": "heads.onnx"}


def available() -> list[str]:
    """Both runtimes in the main environment; litert alone where onnxruntime is not installed (tflite-runtime's)."""
    try:
        import onnxruntime  # noqa: F401
    except ImportError:
        return ["litert"]
    return ["litert", "onnx"]


@pytest.fixture(params=available())
def runtime(request):
    return request.param


@pytest.fixture
def engine(runtime):
    with open_engine(runtime, MODELS / FILES[runtime]) as engine:
        yield engine


def expected(x: np.ndarray) -> list[np.ndarray]:
    arrays = np.load(MODELS / "heads.npz")

    def dense(name: str, values: np.ndarray, zero_in: int, relu: bool = False) -> np.ndarray:
        sums = arrays[f"{name}.weights"].astype(np.int64) @ (values.astype(np.int64) - zero_in) + arrays[f"{name}.bias"]
        low = int(arrays[f"{name}.zero"]) if relu else -128
        return np.clip(np.rint(sums / arrays[f"{name}.divisors"]) + arrays[f"{name}.zero"], low, 127).astype(np.int8)

    hidden = dense("hidden", x.reshape(-1), int(arrays["x.zero"]), relu=True)
    zero = int(arrays["hidden.zero"])
    return [dense("first", hidden, zero), dense("second", hidden, zero)]


def test_outputs_equal_integer_arithmetic(engine):
    rng = np.random.default_rng(3)
    for _ in range(50):
        x = rng.integers(-128, 128, engine.input.shape, dtype=np.int8)
        for got, right in zip(engine.run(x), expected(x), strict=True):
            # A runtime may multiply by a fixed-point reciprocal of the divisor: one step of the grid.
            assert np.abs(got.reshape(-1).astype(int) - right).max() <= 1


def test_most_outputs_are_exact(engine):
    rng = np.random.default_rng(4)
    inputs = [rng.integers(-128, 128, engine.input.shape, dtype=np.int8) for _ in range(100)]
    exact = [np.mean(engine.run(x)[0].reshape(-1) == expected(x)[0]) for x in inputs]
    assert np.mean(exact) > 0.97


def test_scales_and_zero_points_come_from_the_model(engine):
    assert engine.input.shape == (1, 6, 4)
    assert (engine.input.scale, engine.input.zero_point) == (pytest.approx(0.05), -3)
    assert [output.shape for output in engine.outputs] == [(1, 5), (1, 3)]
    assert [output.scale for output in engine.outputs] == pytest.approx([0.0078125, 0.01])
    assert [output.zero_point for output in engine.outputs] == [0, 7]


def test_results_stay_valid_after_the_next_run(engine):
    rng = np.random.default_rng(5)
    first, second = (rng.integers(-128, 128, engine.input.shape, dtype=np.int8) for _ in range(2))
    kept = engine.run(first)[0]
    before = kept.copy()
    engine.run(second)
    np.testing.assert_array_equal(kept, before)


def test_runtime_and_version_are_said(engine, runtime):
    assert engine.runtime == runtime
    assert any(character.isdigit() for character in engine.version)


@pytest.mark.parametrize("values", [
    np.zeros((1, 6, 5), np.int8), np.zeros((6, 4), np.int8), np.zeros((1, 6, 4), np.float32),
    np.zeros((1, 6, 4), np.uint8),
])
def test_a_wrong_shape_or_dtype_is_refused(engine, values):
    with pytest.raises(ShapeError, match=r"takes int8 \(1, 6, 4\)"):
        engine.run(values)


@pytest.mark.parametrize("content", [b"", b"\0" * 3, b"not a model at all" * 10])
def test_foreign_bytes_are_refused(runtime, tmp_path, content):
    path = tmp_path / "model"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=str(path)):
        open_engine(runtime, path)


def test_a_missing_file_is_refused(runtime, tmp_path):
    with pytest.raises(ModelFileError, match="cannot be read"):
        open_engine(runtime, tmp_path / "none")


def test_the_other_formats_file_is_refused(runtime):
    other = FILES["onnx" if runtime == "litert" else "litert"]
    with pytest.raises(ModelFileError, match=other):
        open_engine(runtime, MODELS / other)


def test_a_float_model_is_refused(runtime):
    name = {"litert": "float.tflite", "onnx": "float.onnx"}[runtime]
    with pytest.raises(ModelFileError, match="not int8"):
        open_engine(runtime, MODELS / name)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
def test_a_truncated_file_is_refused(runtime, tmp_path, share):
    content = (MODELS / FILES[runtime]).read_bytes()
    path = tmp_path / "truncated"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelFileError, match="truncated"):
        open_engine(runtime, path)


@pytest.mark.skipif("onnx" not in available(), reason="onnxruntime is not installed here")
def test_onnx_without_scales_is_refused():
    with pytest.raises(ModelFileError, match="no quantisation scale"):
        open_engine("onnx", MODELS / "bare.onnx")


@pytest.mark.skipif("onnx" not in available(), reason="onnxruntime is not installed here")
def test_onnx_external_data_is_refused():
    with pytest.raises(ModelFileError, match=r"external\.onnx"):
        open_engine("onnx", MODELS / "external.onnx")


@pytest.mark.skipif("onnx" in available(), reason="onnxruntime is installed here")
def test_a_missing_runtime_names_the_package_and_the_fix():
    with pytest.raises(RuntimeMissingError, match=r"onnxruntime is not installed; pip install"):
        open_engine("onnx", MODELS / "heads.onnx")


def test_an_unknown_runtime_is_a_usage_error():
    with pytest.raises(UsageError, match="'tensorrt' is not one of litert, onnx"):
        open_engine("tensorrt", MODELS / "heads.onnx")
