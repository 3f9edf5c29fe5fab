"""packages.toml is complete, and no artist is on both sides of a split."""

import pytest

from edge.errors import ExportError
from export.data.recipes import find, load_packages, select

PACKAGE = """[[package]]
name = "a"
version = "1"
source = "debian"
sha256 = "{sha}"
licence = "x"
kinds = ["{kind}"]
"""


def test_the_list_has_every_kind_and_split():
    packages = load_packages()
    assert len(select(packages, "music")) >= 20
    assert {package.split for package in select(packages, "music")} == {"train", "validation", "test", "unlisted"}
    assert all(select(packages, kind) for kind in ("speech", "film", "pictures", "weights"))


def test_no_named_artist_is_trained_on_and_held_out():
    music = select(load_packages(), "music")
    trained = {package.artist for package in music if package.split == "train" and package.artist}
    held_out = {package.artist for package in music if package.split != "train" and package.artist}
    assert trained
    assert held_out
    assert not trained & held_out


def test_what_else_a_package_holds_is_found_by_its_own_patterns(tmp_path):
    text = PACKAGE.format(sha="0" * 64, kind="pictures") + 'also = { speech = ["**/*", "!**/*.png"] }\n'
    (tmp_path / "packages.toml").write_text(text)
    package = load_packages(tmp_path / "packages.toml")[0]
    root = tmp_path / "root"
    (root / "said").mkdir(parents=True)
    for name in ("cat.png", "said/cat.ogg"):
        (root / name).touch()
    assert package.files(root, "pictures") == [root / "cat.png", root / "said" / "cat.ogg"]
    assert package.files(root, "speech") == [root / "said" / "cat.ogg"]
    assert select((package,), "speech") == select((package,), "pictures") == (package,)
    assert select((package,), "effects") == ()


def test_find_names_what_there_is():
    with pytest.raises(ExportError, match=r"no package 'nothing'.*musicnn"):
        find(load_packages(), "nothing")


@pytest.mark.parametrize(("text", "said"), [
    (PACKAGE.format(sha="0" * 63, kind="film"), "64 hexadecimal"),
    (PACKAGE.format(sha="0" * 64, kind="smell"), "kinds"),
    (PACKAGE.format(sha="0" * 64, kind="music"), "needs a split"),
    (PACKAGE.format(sha="0" * 64, kind="film") + 'also = { smell = ["*"] }', "kinds"),
    (PACKAGE.format(sha="0" * 64, kind="film").replace("debian", "moon"), "debian or pypi"),
    (PACKAGE.format(sha="0" * 64, kind="film") + "colour = 1\n", "colour"),
    (PACKAGE.format(sha="0" * 64, kind="film") * 2, "more than once"),
    ("[[package]\n", "not a list"),
])
def test_a_wrong_list_is_named(tmp_path, text, said):
    path = tmp_path / "packages.toml"
    path.write_text(text)
    with pytest.raises(ExportError, match=said):
        load_packages(path)
