import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import SnapshotError
from edge.recommend.feature_names import NAMES
from edge.recommend.ranker import Hidden, Ranker, load, prior

WIDTH = len(NAMES)


def document(**changes) -> dict:
    hidden = {"weights": [[0.1, -0.2]] * WIDTH, "bias": [0.0, 1.0], "output": [2.0, -1.0]}
    good = {"format": 1, "features": list(NAMES), "linear": [1.0] * WIDTH, "bias": -1.0, "mean": [0.5] * WIDTH,
            "scale": [2.0] * WIDTH, "hidden": hidden}  # fmt: skip
    return good | changes


@pytest.fixture
def write(tmp_path):
    def write(text) -> Ranker:
        path = tmp_path / "ranker.json"
        path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
        return load(path)

    return write


def test_scores_by_hand(write):
    ranker = write(document())
    values = np.full((1, WIDTH), 2.5, np.float32)  # each (2.5 - 0.5) / 2 = 1
    hidden = max(0, 0.1 * WIDTH) * 2 - max(0, 1 - 0.2 * WIDTH)
    assert ranker.score(values) == pytest.approx([WIDTH - 1 + hidden], rel=1e-5)


def test_without_a_hidden_layer_it_is_linear(write):
    ranker = write(document(hidden=None))
    assert ranker.score(np.zeros((3, WIDTH), np.float32)) == pytest.approx([-0.25 * WIDTH - 1] * 3)


def test_contributions_of_a_linear_ranker_are_its_terms():
    values = np.random.default_rng(1).normal(size=(20, WIDTH)).astype(np.float32)
    expected = prior().linear * (values - values.mean(axis=0))
    assert prior().contributions(values, values) == pytest.approx(expected, abs=1e-4)


def test_contributions_see_through_the_hidden_layer():
    weights = np.zeros((WIDTH, 1), np.float32)
    weights[3] = 1
    zeros, ones = np.zeros(WIDTH, np.float32), np.ones(WIDTH, np.float32)
    ranker = Ranker(zeros, 0.0, zeros, ones, Hidden(weights, np.zeros(1, np.float32), np.ones(1, np.float32)))
    values = np.zeros((2, WIDTH), np.float32)
    values[0, 3] = 4
    lifts = ranker.contributions(values[:1], values)
    assert lifts[0].argmax() == 3
    assert lifts[0, 3] == pytest.approx(2)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 2}, "format"), ({"features": ["heard"]}, "train it again"), ({"linear": [1.0]}, "linear"),
        ({"scale": [0.0] * WIDTH}, "scale"), ({"mean": ["x"] * WIDTH}, "mean"), ({"bias": None}, "bias"),
        ({"linear": [float("nan")] * WIDTH}, "finite"), ({"hidden": {"weights": []}}, "bias"),
        ({"hidden": {"weights": [], "bias": [], "output": []}}, "hidden units"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(write, changes, said):
    with pytest.raises(SnapshotError, match=said):
        write(document(**changes))


@given(
    st.text() | st.recursive(st.none() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_anything_else_is_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("r") / "ranker.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(SnapshotError):
        load(path)
