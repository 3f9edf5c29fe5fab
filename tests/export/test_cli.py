"""The door: exit codes, one sentence on stderr, JSON on stdout, and a whole export through it."""

import json

import numpy as np
import pytest

from export.cli import main
from export.commands import ALL

ARCHITECTURES = "tests.export.quantize.architectures"


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(6):
        rows = random.normal(size=(16, 32, 32, 3)) + random.normal(size=(16, 1, 1, 3))
        np.save(folder / f"{index}.npy", rows.astype(np.float32))
    return folder


def export(*more, pictures, tmp_path, spec=f"{ARCHITECTURES}:resnet8"):
    return main(["model", spec, "--kind", "video", "--calibrate", str(pictures), "--out", str(tmp_path / "bundle"),
                 "--front", "height = 32", "--front", "width = 32", *more])


def test_a_model_becomes_a_bundle(pictures, tmp_path, capfd):
    page = tmp_path / "report.html"
    code = export("--json", "--allow-slower", "--profile", "rpi-4-tv", "--report", str(page),
                  "--output", "video:mine@1", pictures=pictures, tmp_path=tmp_path)
    out, err = capfd.readouterr()
    assert code == 0, err
    document = json.loads(out)
    assert document["data"]["validation_inputs"] == 32
    assert document["parity"]["litert"]["video"]["cosine_mean"] > 0.99
    assert document["profile"]["fits"]
    assert json.loads(page.with_suffix(".json").read_text())["layers"][0]["layer"] == "stem.0"
    assert "stacks.2.conv2" in page.read_text()
    assert f"<h1>{ARCHITECTURES}:resnet8</h1>" in page.read_text()
    assert "top1" not in page.read_text()
    assert err == ""
    assert main(["verify", str(tmp_path / "bundle"), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["models"]["video"]["outputs"] == {"video": "mine@1"}


@pytest.mark.parametrize(("more", "spec", "code", "said"), [
    ((), f"{ARCHITECTURES}:poisoned", 1, "'conv.weight' holds NaN"),
    ((), f"{ARCHITECTURES}:branching", 1, "part (Branching) has no fixed graph"),
    ((), "resnet8", 2, "package.module:factory"),
    (("--front", "depth = 3"), f"{ARCHITECTURES}:resnet8", 2, "no setting 'depth'"),
    (("--output", "a", "--output", "b"), f"{ARCHITECTURES}:resnet8", 2, "gives 1 outputs and 2 are named"),
    (("--profile", "toaster"), f"{ARCHITECTURES}:resnet8", 2, "no profile 'toaster'"),
    (("--least", "cosine_mean=2"), f"{ARCHITECTURES}:resnet8", 2, "each from 0 to 1"),
    (("--least", "cosine"), f"{ARCHITECTURES}:resnet8", 2, "as cosine_min=0.95"),
    (("--least", "cosinus=.5"), f"{ARCHITECTURES}:resnet8", 2, "the figures are cosine_mean, cosine_p5"),
    (("--report", "page.json"), f"{ARCHITECTURES}:resnet8", 2, "as report.html"),
    (("--layout", "frames"), f"{ARCHITECTURES}:resnet8", 2, "none that video models have: 1,channels,height,width"),
    (("--front", "height = 16"), f"{ARCHITECTURES}:resnet8", 1, "does not run on an input of (1, 16, 32, 3)"),
])
def test_failures_are_one_sentence(more, spec, code, said, pictures, tmp_path, capfd):
    assert export(*more, pictures=pictures, tmp_path=tmp_path, spec=spec) == code
    out, err = capfd.readouterr()
    assert said in err
    assert err.count("\n") == 1
    assert out == ""
    assert not (tmp_path / "bundle").exists()


def test_an_altered_bundle_fails_verification(tmp_path, capfd):
    assert main(["verify", str(tmp_path)]) == 1
    assert "manifest.json" in capfd.readouterr().err


@pytest.mark.parametrize("command", ALL, ids=lambda command: command.NAME)
def test_every_command_has_help_with_an_example(command, capfd):
    assert main([command.NAME, "--help"]) == 0
    out = capfd.readouterr().out
    assert f"roomtone-export {command.NAME}" in out.partition("example:")[2]
    assert "--json" in out


@pytest.mark.parametrize("arguments", [[], ["no-such"], ["model"], ["model", "a:b", "--kind", "smell"]])
def test_wrong_usage_exits_2(arguments, capfd):
    assert main(arguments) == 2
    assert "usage: roomtone-export" in capfd.readouterr().err
