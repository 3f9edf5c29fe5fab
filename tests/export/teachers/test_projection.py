"""Principal axes of data whose axes are known, and the identity of a space."""

from dataclasses import replace

import numpy as np
import pytest

from edge.errors import ExportError
from export.teachers.projection import Projection, fit_projection


@pytest.fixture
def embeddings():
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(500, 3)) * [5, 3, 2]
    return (hidden @ rng.normal(size=(3, 10)) + rng.normal(0, 0.01, (500, 10)) + 7).astype(np.float32)


def test_three_axes_hold_all_that_varies(embeddings):
    projection = fit_projection("toy", embeddings, dimension=3)
    standard = (embeddings - projection.mean) / projection.std
    kept = standard @ projection.axes @ projection.axes.T
    assert np.abs(standard - kept).max() < 0.05
    np.testing.assert_allclose(projection.axes.T @ projection.axes, np.eye(3), atol=1e-5)


def test_vectors_have_length_one_and_neighbours_stay(embeddings):
    vectors = fit_projection("toy", embeddings, dimension=3).apply(embeddings)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    assert vectors.dtype == np.float32


def test_a_constant_feature_counts_for_nothing(embeddings):
    embeddings[:, 4] = 3.0
    projection = fit_projection("toy", embeddings, dimension=3)
    moved = embeddings.copy()
    moved[:, 4] += 100
    assert np.isfinite(projection.apply(moved)).all()
    np.testing.assert_allclose(projection.apply(moved), projection.apply(embeddings))


def test_a_space_is_known_by_its_numbers(embeddings, tmp_path):
    projection = fit_projection("toy", embeddings, dimension=3)
    projection.save(tmp_path / "p.npz")
    loaded = Projection.load(tmp_path / "p.npz")
    assert loaded.space == projection.space == fit_projection("toy", embeddings, dimension=3).space
    assert projection.space.startswith("toy-pca3@")
    assert replace(projection, mean=projection.mean + 1e-3).space != projection.space


def test_too_few_windows_and_a_wrong_file(embeddings, tmp_path):
    with pytest.raises(ExportError, match="3 windows are too few"):
        fit_projection("toy", embeddings[:3], dimension=3)
    (tmp_path / "p.npz").write_bytes(b"no")
    with pytest.raises(ExportError, match="not a saved projection"):
        Projection.load(tmp_path / "p.npz")
