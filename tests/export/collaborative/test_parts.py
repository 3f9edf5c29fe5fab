"""What is learned from a folder of files is what is learned from one file, whoever counts them."""

import csv
import json

import numpy as np
import pytest

from edge.catalog.snapshot import open_snapshot
from edge.errors import ExportError
from edge.recommend.collaborative import open_collaborative
from export.cli import main
from export.collaborative.catalogue import write_catalogue
from export.collaborative.grades import scale_of
from export.collaborative.model import fit
from export.collaborative.parts import LocalEngine, fit_files, rating_files


@pytest.fixture(scope="module")
def folder(rated, tmp_path_factory):
    """The ratings by user in three files; no file has all items, and the items come in other orders."""
    made = tmp_path_factory.mktemp("parts")
    with rated.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    for part in range(3):
        with (made / f"{part}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *(row for row in rows if int(row[0][1:]) // 4 % 3 == part)])
    (made / "notes.txt").write_text("not ratings")
    return made


@pytest.fixture(scope="module", params=["local", "ray"])
def engine(request):
    if request.param == "local":
        yield LocalEngine()
        return
    pytest.importorskip("ray")
    from export.collaborative.parts import RayEngine

    with RayEngine(workers=1) as started:
        yield started


def test_parts_teach_what_the_whole_teaches(ratings, folder, engine):
    whole = fit(ratings, scale_of(ratings), method="ease")
    model, census = fit_files(rating_files(folder), engine)
    order = [list(census.items).index(item) for item in ratings.items]
    assert (census.users, census.ratings) == (len(ratings.users), len(ratings.user))
    assert model.plays[order].tolist() == whole.plays.tolist()
    for name in ("popularity", "liked"):
        assert getattr(model, name)[order] == pytest.approx(getattr(whole, name), abs=1e-6)
    ours, theirs = (_product(one)[np.ix_(at, at)] for one, at in ((model, order), (whole, np.arange(len(order)))))
    assert ours == pytest.approx(theirs, abs=1e-4)


def _product(model) -> np.ndarray:
    """What an item in a history adds to every item's score, which the signs and order of factors do not change."""
    factors = model.factors
    users = factors.directions * factors.fold[:, np.newaxis] * factors.spectrum
    return users @ (factors.directions * factors.scale[:, np.newaxis]).T


def test_the_command_takes_a_folder(ratings, folder, tmp_path, capsys):
    write_catalogue(tmp_path / "catalog", ratings)
    assert main(["collaborative", str(folder), "--catalog", str(tmp_path / "catalog"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["files"], said["matched"], said["users"]) == (3, len(ratings.items), len(ratings.users))
    with open_snapshot(tmp_path / "catalog") as snapshot:
        assert open_collaborative(snapshot).method == "ease"


def test_a_bad_line_in_one_part_is_named(folder, tmp_path, engine):
    for file in rating_files(folder):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with (tmp_path / "1.csv").open("a") as file:
        file.write("u1,i1,many,5,t,g\n")
    with pytest.raises(ExportError, match=r"1\.csv, line \d+: rating 'many'"):
        fit_files(rating_files(tmp_path), engine)


def test_a_folder_without_ratings_is_said(tmp_path, rated):
    with pytest.raises(ExportError, match=r"no \.csv or \.tsv file"):
        rating_files(tmp_path)
    assert main(["collaborative", str(rated), "--catalog", "c", "--engine", "ray"]) == 2
    assert main(["collaborative", str(tmp_path), "--catalog", "c", "--method", "als"]) == 2
