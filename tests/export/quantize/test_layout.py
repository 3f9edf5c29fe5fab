"""The layout that a model takes: found by trying, stated, and never guessed in silence."""

import numpy as np
import pytest
import torch

from edge.errors import ExportError, UsageError
from export.quantize.layout import find_layout
from tests.export.quantize.architectures import DsCnn, MobileNet, ResNet8, TemporalCnn


@pytest.mark.parametrize(("model", "kind", "shape", "layout"), [
    (ResNet8(), "video", (1, 32, 32, 3), "(1, channels, height, width)"),
    (MobileNet(), "video", (1, 32, 32, 3), "(1, height, width, channels)"),
    (TemporalCnn(), "audio", (1, 49, 10), "(1, coefficients, frames)"),
])
def test_a_layout_that_alone_runs_is_no_guess(model, kind, shape, layout):
    network = find_layout(model.eval(), kind, shape)
    assert (network.layout, network.other_layouts) == (layout, ())


def test_a_model_that_runs_either_way_round_says_so():
    network = find_layout(DsCnn().eval(), "audio", (1, 49, 10))
    assert network.layout == "(1, 1, frames, coefficients)"
    assert network.other_layouts == ("(1, 1, coefficients, frames)",)


@pytest.mark.parametrize("layout", ["1,1,coefficients,frames", "(1, 1, coefficients, frames)"])
def test_the_engineer_decides(layout):
    model = DsCnn().eval()
    network = find_layout(model, "audio", (1, 49, 10), layout=layout)
    cepstra = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 49, 10)).astype(np.float32))
    assert network.other_layouts == ()
    torch.testing.assert_close(network.module(cepstra), model(cepstra.transpose(1, 2)[:, None]))


def test_a_layout_that_does_not_run_is_refused_in_words():
    with pytest.raises(ExportError, match=r"in any layout \(\(1, height, width, channels\): "):
        find_layout(ResNet8().eval(), "video", (1, 32, 32, 3), layout="1,height,width,channels")
    with pytest.raises(UsageError, match="none that video models have: 1,channels"):
        find_layout(ResNet8().eval(), "video", (1, 32, 32, 3), layout="1,frames")
