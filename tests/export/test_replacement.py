"""At every step of a replacement, were it the last, one of the two folders is there and whole."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from edge.catalog.snapshot import open_snapshot
from export import replacement
from export.collaborative.catalogue import write_catalogue
from export.collaborative.grades import scale_of
from export.collaborative.model import fit
from export.collaborative.ratings import read_ratings
from export.collaborative.snapshot import add_to_snapshot
from export.replacement import recover, replace_folder

STEPS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "ctypes.dlsym")
SERVER = multiprocessing.get_context("forkserver")
"""Forks from a fresh process: this one may have threads by now, of a library that another test has imported."""


def killed_at(step: int, work: Callable[[], object]) -> bool:
    """Do the work in a process of its own, which is killed right before its n-th step on the disk.

    False when it came to its end first.
    """
    child = SERVER.Process(target=_until, args=(step, work))
    child.start()
    child.join()
    assert child.exitcode in (0, -signal.SIGKILL)
    return child.exitcode != 0


def _until(step: int, work: Callable[[], object]) -> None:
    done = [0]

    def count(event: str, arguments: tuple) -> None:
        if event in STEPS:
            done[0] += 1
            if done[0] == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    work()
    os._exit(0)


def kill_everywhere(work: Callable[[], object], check: Callable[[], object], *, stride: int = 1) -> int:
    SERVER.set_forkserver_preload(["export.collaborative.snapshot"])  # each fork finds it imported
    step = 1
    while killed_at(step, work):
        check()
        step += stride
    check()
    return step


def folder(path: Path, text: str) -> Path:
    path.mkdir(exist_ok=True)
    (path / "text").write_text(text)
    return path


def cannot_exchange(one: Path, other: Path) -> bool:
    return False


def replace_the_old(place: Path, way: str) -> None:
    if way == "two renames":
        replacement.exchange = cannot_exchange
    replace_folder(folder(place.with_name("new"), "new"), place)


@pytest.fixture(params=["exchange", "two renames"])
def way(request, monkeypatch):
    if request.param == "two renames":
        monkeypatch.setattr(replacement, "exchange", cannot_exchange)
    return request.param


def test_an_old_folder_is_replaced_and_gone(tmp_path, way):
    replace_folder(folder(tmp_path / "new", "new"), folder(tmp_path / "place", "old"))
    assert (tmp_path / "place" / "text").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


def test_a_place_that_was_empty_is_filled(tmp_path, way):
    replace_folder(folder(tmp_path / "new", "new"), tmp_path / "place")
    assert (tmp_path / "place" / "text").read_text() == "new"


def test_killed_anywhere_one_of_the_two_is_there(tmp_path, way):
    place = folder(tmp_path / "place", "old")

    def check():
        if way == "two renames":
            recover(place)
        assert (place / "text").read_text() in ("old", "new")

    assert kill_everywhere(partial(replace_the_old, place, way), check) > 5
    assert (place / "text").read_text() == "new"


def test_killed_anywhere_the_catalogue_is_there(tmp_path):
    lines = ["user,item,rating,timestamp"]
    lines += [f"u{user},i{(user * 3 + place) % 8},{2 + place},{10**9 + place}"
              for user in range(8) for place in range(4)]  # fmt: skip
    path = tmp_path / "ratings.csv"
    path.write_text("\n".join(lines))
    ratings = read_ratings(path)
    model, catalog = fit(ratings, scale_of(ratings)), tmp_path / "catalog"
    write_catalogue(catalog, ratings)

    def check():
        with open_snapshot(catalog) as snapshot:
            assert len(snapshot.items) == 8

    assert kill_everywhere(partial(add_to_snapshot, catalog, model, ratings.items), check, stride=3) > 40
    with open_snapshot(catalog) as snapshot:
        assert "collaborative" in snapshot.views
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["catalog", "ratings.csv"]
