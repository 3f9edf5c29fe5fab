import io
import json
import os
import pickle
import zipfile

import pytest
import torch
from torch import nn

from edge.errors import ExportError, UsageError
from export.spec import load_model, load_program, parse_outputs

HERE = "tests.export.quantize.architectures"


class Trap:
    """A pickle that leaves a file behind when it is run."""

    def __init__(self, path):
        self._path = str(path)

    def __reduce__(self):
        return os.mkdir, (self._path,)


def save_program(path, model=None, **more):
    model = model or nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    torch.export.save(torch.export.export(model.eval(), (torch.zeros(2, 3, 8, 8),), **more), path)
    return path


def rewritten(path, target, change):
    """A copy of a .pt2 with members changed: ``change(name, content)`` returns (name, content) pairs."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as made:
        for name in source.namelist():
            for pair in change(name, source.read(name)):
                made.writestr(*pair)
    return target


def test_a_factory_gives_its_model_in_eval_mode():
    assert not load_model(f"{HERE}:resnet8").training


def test_weights_are_loaded(tmp_path):
    state = load_model(f"{HERE}:resnet8").state_dict()
    state["classes.bias"] = torch.arange(10.0)
    torch.save(state, tmp_path / "w.pt")
    assert load_model(f"{HERE}:resnet8", tmp_path / "w.pt").classes.bias.tolist() == list(range(10))


@pytest.mark.parametrize("spec", ["resnet8", "module:", ":factory", "weights.onnx", ""])
def test_a_spec_of_another_form_is_a_usage_error(spec):
    with pytest.raises(UsageError, match=r"package\.module:factory"):
        load_model(spec)


@pytest.mark.parametrize(("spec", "said"), [
    ("no.such.module:make", "No module named 'no'"),
    (f"{HERE}:missing", "has no attribute 'missing'"),
    (f"{HERE}:failing", "the factory raised KeyError: 'no such size'"),
    (f"{HERE}:not_a_model", "gave dict, not a torch.nn.Module"),
    (f"{HERE}:poisoned", "weight 'conv.weight' holds NaN"),
])
def test_a_factory_that_gives_no_usable_model(spec, said):
    with pytest.raises(ExportError, match=said):
        load_model(spec)


def test_a_checkpoint_with_code_is_refused_and_never_run(tmp_path):
    trap = tmp_path / "sprung"
    (tmp_path / "w.pt").write_bytes(pickle.dumps(Trap(trap)))
    with pytest.raises(ExportError, match="not a file of tensors"):
        load_model(f"{HERE}:resnet8", tmp_path / "w.pt")
    torch.save({"state_dict": Trap(trap)}, tmp_path / "w.pt")
    with pytest.raises(ExportError, match="not a file of tensors"):
        load_model(f"{HERE}:resnet8", tmp_path / "w.pt")
    assert not trap.exists()


def test_a_program_is_opened(tmp_path):
    program = load_program(save_program(tmp_path / "m.pt2"))
    assert program.module()(torch.zeros(2, 3, 8, 8)).shape == (2, 4, 6, 6)


def test_a_program_with_a_pickled_input_is_refused_and_never_run(tmp_path):
    trap = tmp_path / "sprung"
    buffer = io.BytesIO()
    torch.save(Trap(trap), buffer)

    def change(name, content):
        yield name, buffer.getvalue() if name.endswith("sample_inputs/model.pt") else content

    made = rewritten(save_program(tmp_path / "m.pt2"), tmp_path / "bad.pt2", change)
    with pytest.raises(ExportError, match="not run"):
        load_program(made)
    assert not trap.exists()


def test_a_program_that_asks_for_pickled_weights_is_refused(tmp_path):
    def change(name, content):
        if name.endswith("model_weights_config.json"):
            config = json.loads(content)
            next(iter(config["config"].values()))["use_pickle"] = True
            content = json.dumps(config).encode()
        yield name, content

    made = rewritten(save_program(tmp_path / "m.pt2"), tmp_path / "bad.pt2", change)
    with pytest.raises(ExportError, match="asks for a pickle"):
        load_program(made)


def test_a_program_with_unknown_members_is_refused(tmp_path):
    def change(name, content):
        yield name, content
        if name.endswith("archive_format"):
            yield "m/data/constants/custom_obj_0", pickle.dumps(0)

    made = rewritten(save_program(tmp_path / "m.pt2"), tmp_path / "bad.pt2", change)
    with pytest.raises(ExportError, match="custom_obj_0"):
        load_program(made)


def test_a_program_of_changing_shapes_is_refused(tmp_path):
    batch = torch.export.Dim("batch", min=2, max=8)
    path = save_program(tmp_path / "m.pt2", nn.Conv2d(3, 4, 3), dynamic_shapes=({0: batch},))
    with pytest.raises(ExportError, match="not fixed"):
        load_program(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"\x80\x04.", b"not a zip at all"])
def test_a_file_that_is_no_program(content, tmp_path):
    (tmp_path / "m.pt2").write_bytes(content)
    with pytest.raises(ExportError, match="not a program"):
        load_model(str(tmp_path / "m.pt2"))


def test_a_missing_program(tmp_path):
    with pytest.raises(ExportError, match="cannot be read: No such file"):
        load_model(str(tmp_path / "m.pt2"))


def test_outputs_are_named_in_order():
    outputs = parse_outputs(["audio:teacher@1", "recording"], spec="m:f", dimensions=[64, 32])
    assert [(out.view, out.dimension, out.space) for out in outputs] == [
        ("audio", 64, "teacher@1"), ("recording", 32, "m:f#recording")]


def test_too_few_names_for_the_outputs():
    with pytest.raises(UsageError, match="gives 2 outputs and 1 are named"):
        parse_outputs(["audio"], spec="m:f", dimensions=[64, 32])
