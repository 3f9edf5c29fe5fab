"""The map: neighbours stay neighbours, titles are data and never markup, the same catalogue gives the same page."""

import json
import re

import numpy as np
import pytest

from edge.catalog.items import Item
from export.catalog.map import GROUPS, plane
from export.catalog.writer import ViewData, write_snapshot
from export.cli import main

GROUP, COUNT = 12, 3
NASTY = "</script><img src=x onerror=alert(1)>"


def grouped() -> np.ndarray:
    """Three tight groups of unit vectors far from each other."""
    random = np.random.default_rng(0)
    vectors = np.repeat(np.eye(8)[:COUNT], GROUP, axis=0) + random.normal(0, 0.05, (COUNT * GROUP, 8))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def catalog(tmp_path):
    items = [Item(row, f"track:{row}", "track", NASTY if row == 5 else f"Title {row}", artist=f"Artist {row // GROUP}",
                  channel=NASTY) for row in range(COUNT * GROUP)]
    views = {"audio": ViewData("a@1", grouped(), np.arange(len(items))),
             "video": ViewData("v@1", grouped()[:2], np.arange(2))}
    write_snapshot(tmp_path / "catalog", items, views, name=NASTY, version="1")
    return tmp_path / "catalog"


def test_neighbours_stay_neighbours():
    places = plane(grouped())
    assert places.min() == 0
    assert places.max() == 1
    distances = np.linalg.norm(places[:, np.newaxis] - places, axis=2) + np.eye(len(places)) * 9
    own = np.repeat(np.arange(COUNT), GROUP)
    assert (own[distances.argmin(axis=1)] == own).all()


def test_few_items_have_a_place_too():
    assert np.isfinite(plane(grouped()[:4])).all()


def test_the_page_holds_every_title_and_no_markup_of_theirs(catalog, tmp_path, capsys):
    out = tmp_path / "maps" / "map.html"
    assert main(["map", str(catalog), "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["views"] == {"audio": 36}, "two items make no map"
    page = out.read_text("utf-8")
    assert NASTY not in page
    assert "@DATA@" not in page
    assert not re.search(r"""(src|href)=["']?http""", page), "nothing from outside"
    data = json.loads(re.search(r"const DATA = (.*);\n", page)[1])
    labels = [item[3] for item in data["audio"]["items"]]
    assert labels[5] == f"{NASTY} · Artist 0"
    assert [item[2] for item in data["audio"]["items"]] == [row // GROUP for row in range(36)]
    assert len(data["audio"]["groups"]) == COUNT <= GROUPS
    again = tmp_path / "again.html"
    assert main(["map", str(catalog), "--out", str(again)]) == 0
    assert again.read_bytes() == out.read_bytes()


def test_what_cannot_be_shown_is_said(tmp_path, capsys):
    write_snapshot(tmp_path / "c", [Item(0, "track:0", "track", "One")],
                   {"audio": ViewData("a@1", grouped()[:1], np.arange(1))}, name="small", version="1")
    assert main(["map", str(tmp_path / "c"), "--out", str(tmp_path / "map.html")]) == 1
    assert "has no view of 4 items or more" in capsys.readouterr().err
    assert main(["map", str(tmp_path / "none"), "--out", str(tmp_path / "map.html")]) == 1


def test_a_place_that_cannot_be_written_is_named(catalog, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["map", str(catalog), "--out", str(tmp_path / "file" / "map.html")]) == 1
    assert "cannot be written" in capsys.readouterr().err
