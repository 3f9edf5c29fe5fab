"""The page of the student's figures says what they are, and needs nothing from outside."""

from html.parser import HTMLParser

import pytest

from edge.errors import ExportError
from export.training.evaluate import Figures
from export.training.evaluate_kinds import KindFigures
from export.training.page import page, write_figures
from export.training.retrieval import LEVELS, RECALLS, BySureness

CURVE = [1 - recall / 2 for recall in RECALLS]
KINDS = KindFigures(4, {"16 kHz": 0.75}, {"16 kHz": [[3, 0, 1], [0, 4, 0], [1, 1, 2]]})


@pytest.fixture(scope="module")
def figures():
    names = ("clean", "room <1>")
    named = BySureness([1 - score for score in LEVELS], [0.0] * len(LEVELS))
    shares = dict.fromkeys(names, 0.5)
    return Figures(tracks=9, queries=7, cosine=0.7, teacher_retrieval=shares, chance_retrieval=0.1, retrieval=shares,
                   recording=shares, least_sureness=0.8, named=shares, false_matches=shares,
                   precision=dict.fromkeys(names, CURVE), teacher_precision={"clean": CURVE},
                   by_sureness=dict.fromkeys(names, named))


class Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.cells, self.plots, self.loaded, self._inside = [], 0, [], False

    def handle_starttag(self, tag, attributes):
        self._inside = tag == "td"
        self.plots += tag == "svg"
        self.loaded += [value for name, value in attributes if name in ("src", "href") and "#" not in value[:1]]

    def handle_data(self, data):
        self.cells += [data] if self._inside else []
        self._inside = False


def test_it_shows_shares_of_each_row_and_two_plots(figures):
    seen = Cells()
    seen.feed(page(figures, KINDS))
    assert seen.cells == ["75.0%", "0.0%", "25.0%", "0.0%", "100.0%", "0.0%", "25.0%", "25.0%", "50.0%"]
    assert seen.plots == 2
    assert seen.loaded == []


def test_without_kinds_it_has_no_tables(figures):
    text = page(figures)
    assert "<table" not in text
    assert "7 queries of 10 s among 9 tracks" in text


def test_the_same_figures_give_the_same_page(figures):
    assert page(figures, KINDS) == page(figures, KINDS)


def test_a_place_that_cannot_be_written_is_named(figures, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match=r"--page .*file/page\.html: cannot be written"):
        write_figures(tmp_path / "file" / "page.html", figures)
