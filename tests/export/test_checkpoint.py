import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from edge.errors import ExportError
from export.checkpoint import read_state, read_tensors


def save(tmp_path, value):
    torch.save(value, tmp_path / "w.pt")
    return tmp_path / "w.pt"


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s, "epoch": 3}, lambda s: {"model": s}])
def test_a_state_dict_is_found(wrap, tmp_path):
    state = nn.Linear(2, 3).state_dict()
    read = read_tensors(save(tmp_path, wrap(state)))
    assert {key: value.tolist() for key, value in read.items()} == {k: v.tolist() for k, v in state.items()}


@pytest.mark.parametrize(("value", "said"), [
    ({"weight": torch.zeros(3, 2)}, "has no tensor 'bias', which Linear needs"),
    ({"weight": torch.zeros(3, 2), "bias": torch.zeros(3), "extra": torch.zeros(1)}, "'extra' has no place"),
    ({"weight": torch.zeros(2, 3), "bias": torch.zeros(3)}, r"'weight' has shape \(2, 3\), Linear needs \(3, 2\)"),
    ({"weight": 1, "bias": torch.zeros(3)}, "'weight' is not a tensor"),
    ([torch.zeros(1)], "holds list, not a state_dict"),
    ({}, "holds dict, not a state_dict"),
])
def test_what_does_not_fit_is_named(value, said, tmp_path):
    with pytest.raises(ExportError, match=said):
        read_state(save(tmp_path, value), into=nn.Linear(2, 3))


def test_safetensors(tmp_path):
    state = nn.Linear(2, 3).state_dict()
    save_file(state, tmp_path / "w.safetensors")
    model = nn.Linear(2, 3)
    read_state(tmp_path / "w.safetensors", into=model)
    assert torch.equal(model.weight, state["weight"])
    (tmp_path / "w.safetensors").write_bytes(b"junk")
    with pytest.raises(ExportError, match=r"w\.safetensors: not a file of tensors"):
        read_tensors(tmp_path / "w.safetensors")


def test_a_plain_pickle_is_refused_without_torchs_warnings(tmp_path, recwarn):
    (tmp_path / "w.pt").write_bytes(pickle.dumps(range(3), protocol=4))
    with pytest.raises(ExportError, match="weights_only=True refused it"):
        read_tensors(tmp_path / "w.pt")
    assert not recwarn.list


@pytest.mark.parametrize("content", [b"", b"junk", b"\x80\x02K\x01.", b"PK\x03\x04" + b"\0" * 40])
def test_damaged_files(content, tmp_path):
    (tmp_path / "w.pt").write_bytes(content)
    with pytest.raises(ExportError, match=r"w\.pt"):
        read_tensors(tmp_path / "w.pt")


def test_a_missing_file(tmp_path):
    with pytest.raises(ExportError, match="No such file"):
        read_tensors(tmp_path / "none.pt")
