"""A PyTorch ranker by the same door as other models, and the device's scores of it."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from edge.catalog.snapshot import open_snapshot
from edge.recommend.feature_names import NAMES
from edge.recommend.ranker import of_snapshot
from export.cli import main
from export.collaborative.catalogue import write_catalogue
from export.models.ranker import RankerModel, factory

FACTORY = "export.models.ranker:factory"


class Squared(RankerModel):
    """The same weights, put to another use."""

    def forward(self, features):
        return super().forward(features) ** 2


def squared() -> Squared:
    return Squared(mean=np.zeros(len(NAMES)), scale=np.ones(len(NAMES)))


def deep() -> nn.Module:
    return nn.Sequential(nn.Linear(len(NAMES), 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))


@pytest.fixture
def trained():
    torch.manual_seed(3)
    model = factory(16)
    for parameter in model.parameters():
        nn.init.normal_(parameter)
    model.mean.normal_()
    model.scale.uniform_(0.5, 2)
    return model


@pytest.fixture
def catalog(ratings, tmp_path):
    write_catalogue(tmp_path / "catalog", ratings)
    return tmp_path / "catalog"


def sixteen() -> RankerModel:
    return factory(16)


@pytest.mark.parametrize("way", ["weights", "program"])
def test_the_device_scores_as_the_model_does(trained, catalog, tmp_path, capsys, way, monkeypatch):
    values = torch.randn(200, len(NAMES))
    monkeypatch.setitem(sys.modules, "her_ranker", SimpleNamespace(sixteen=sixteen))
    if way == "weights":
        torch.save(trained.state_dict(), tmp_path / "ranker.pt")
        spec = ["her_ranker:sixteen", "--weights", str(tmp_path / "ranker.pt")]
    else:
        torch.export.save(torch.export.export(trained, (values[:1],)), tmp_path / "ranker.pt2")
        spec = [str(tmp_path / "ranker.pt2")]
    assert main(["model", *spec, "--kind", "ranker", "--out", str(catalog), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["hidden"], said["snapshot"]) == (16, str(catalog))
    with open_snapshot(catalog) as snapshot:
        scores = of_snapshot(snapshot).score(values.numpy())
    assert scores == pytest.approx(trained(values).detach().numpy(), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(("name", "said"), [("deep", "a ranker has the parameters"), ("squared", "differ")])
def test_a_model_that_a_device_cannot_score_is_refused_and_the_catalogue_kept(catalog, capsys, monkeypatch, name, said):
    makers = SimpleNamespace(deep=deep, squared=squared)
    monkeypatch.setitem(sys.modules, "her_ranker", makers)
    before = {path.name: path.read_bytes() for path in catalog.iterdir()}
    assert main(["model", f"her_ranker:{name}", "--kind", "ranker", "--out", str(catalog)]) == 1
    assert said in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in catalog.iterdir()} == before


def test_what_is_no_catalogue_is_said(tmp_path, capsys):
    assert main(["model", FACTORY, "--kind", "ranker", "--out", str(tmp_path / "none")]) == 1
    assert "none" in capsys.readouterr().err


def test_other_models_need_something_to_calibrate_on(tmp_path, capsys):
    assert main(["model", FACTORY, "--kind", "audio", "--out", str(tmp_path / "bundle")]) == 2
    assert "--calibrate" in capsys.readouterr().err
