from itertools import permutations

import numpy as np
import pytest
import torch

from edge import firmware
from edge.errors import UsageError
from export.quantize.fit import fit, peak_activation_bytes
from export.quantize.folding import fold_batch_norm
from export.quantize.graph import trace
from export.quantize.options import Options
from export.quantize.parity import Thresholds, compare, failures
from tests.export.quantize.architectures import ResNet8

VECTORS = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)


def test_the_same_vectors_agree_wholly():
    found = compare(VECTORS, 3 * VECTORS, classes=True)
    pairs = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in permutations(VECTORS, 2)]
    assert found.document() == {"cosine_mean": 1.0, "cosine_p5": 1.0, "cosine_min": 1.0, "neighbour_agreement": 1.0,
                                "top1_agreement": 1.0, "between_inputs": pytest.approx(np.mean(pairs), abs=1e-5)}


def test_cosines_are_those_of_the_pairs():
    first, second = np.float32([[1, 0], [0, 1], [1, 1]]), np.float32([[1, 0], [1, 1], [-1, -1]])
    found = compare(first, second)
    assert found.cosine_min == pytest.approx(-1)
    assert found.cosine_mean == pytest.approx((1 + np.sqrt(0.5) - 1) / 3)
    assert found.cosine_p5 == pytest.approx(-1 + 0.1 * (np.sqrt(0.5) + 1))


def test_neighbours_are_looked_up_among_the_float_vectors():
    reference = np.float32([[1, 0], [1, 0.1], [0, 1], [0.1, 1]])
    measured = reference.copy()
    measured[0] = (0.6, 1)
    assert compare(reference, measured).neighbour_agreement == 0.75


def test_scores_are_compared_by_their_course_and_order():
    scores = np.float32([[1], [2], [3], [4]])
    found = compare(scores, 2 * scores + 5)
    assert (found.cosine_min, found.neighbour_agreement) == (pytest.approx(1), 1.0)
    assert compare(scores, np.float32([[1], [2], [4], [3]])).neighbour_agreement == pytest.approx(5 / 6)


def test_each_figure_below_its_threshold_is_said():
    found = compare(VECTORS, VECTORS + np.random.default_rng(1).normal(size=VECTORS.shape).astype(np.float32))
    said = failures("audio in onnx", found, Thresholds())
    assert [line.split()[3] for line in said] == ["cosine_mean", "cosine_p5", "cosine_min", "neighbour_agreement"]


def test_a_model_that_gives_all_inputs_the_same_answer_is_asked_whether_it_is_trained():
    alike = 1 + 0.001 * VECTORS
    said = failures("video in litert", compare(alike, alike[::-1]), Thresholds())
    assert "neighbour_agreement" in said[0]
    assert said[-1].endswith("(their mean cosine with each other is 1.0000): is it trained?")


def test_figures_that_are_no_numbers_fail():
    assert len(failures("x", compare(VECTORS, np.full_like(VECTORS, np.nan)), Thresholds())) >= 3


def test_peak_activations_of_a_known_graph():
    """While ResNet-8's first block adds, its input, its result before the addition and the sum are held."""
    graph = trace(ResNet8().eval(), torch.zeros(1, 3, 32, 32))
    fold_batch_norm(graph)
    assert peak_activation_bytes(graph) == 3 * 16 * 32 * 32


def test_the_profile_decides():
    zero = firmware.load("rpi-zero-2w-speaker")
    small, large = (fit(zero, file_bytes=size, arena_bytes=1 << 20) for size in (300_000, 40_000_000))
    assert small.fits
    assert not large.fits
    assert "rpi-zero-2w-speaker leaves" in large.sentence()


@pytest.mark.parametrize("wrong", [{"runtimes": ()}, {"runtimes": ("coreml",)}, {"onnx_activations": "int4"},
                                   {"most_float_prefix": -1}])
def test_impossible_options(wrong):
    with pytest.raises(UsageError):
        Options(**wrong)
