"""The trained student that ships with the host side is the one that the default bundle was exported from."""

import numpy as np
import pytest
import torch

from edge.bundle import DEFAULT, open_bundle
from edge.context import unit
from edge.engine.open import open_engine
from edge.engine.quantization import dequantize, quantize
from edge.errors import ExportError
from export.data.decode import decode
from export.frontend import mfcc_constants
from export.training.frontend import WINDOW_SAMPLES, BatchFrontEnd
from export.training.hearing import load_hearing, save_hearing


@pytest.fixture(scope="module")
def hearing():
    return load_hearing()


def test_its_spaces_are_the_bundles(hearing):
    spaces = open_bundle().spaces()
    assert {view: spaces[view] for view in hearing.spaces} == hearing.spaces


def test_the_bundle_answers_as_it_does(hearing):
    clip = decode(DEFAULT.parent / "clips" / "not-in-the-catalogue.ogg")
    sound = np.lib.stride_tricks.sliding_window_view(clip, WINDOW_SAMPLES)[::16_000].astype(np.float32)
    mfcc = BatchFrontEnd(mfcc_constants()).standardised(torch.from_numpy(sound), hearing.standard)
    with torch.no_grad():
        expected = [unit(out.numpy()) for out in hearing.student(mfcc)]
    with open_engine("litert", open_bundle().model("audio").file("litert")) as engine:
        for row, window in enumerate(mfcc.numpy()):
            answers = engine.run(quantize(window[None], engine.input))
            for wanted, answer, spec in zip(expected, answers, engine.outputs, strict=True):
                assert wanted[row] @ unit(dequantize(answer, spec)[0]) > 0.99


def test_saving_and_loading_changes_nothing(hearing, tmp_path):
    save_hearing(hearing, tmp_path)
    assert load_hearing(tmp_path).spaces == hearing.spaces


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(ExportError, match=r"student\.pt"):
        load_hearing(tmp_path)
