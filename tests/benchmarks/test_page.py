"""The page of a whole run stands alone: text is escaped, plots lie in it, nothing is fetched."""

import json
import re
from html.parser import HTMLParser

import pytest

from benchmarks import page, plots
from benchmarks.report import Report, Row

MACHINE = {"date": "2026-01-02", "cpu": "an <odd> & old one"}
ROWS = [Row("roomtone, 10 ms", {"ms_per_s": 1.5}), Row("librosa, batch", {"ms_per_s": 0.5}, note="<b>faster</b>"),
        Row("missing", {"ms_per_s": None})]


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.fixture
def written(tmp_path):
    Report("mfcc", "How <fast>?", MACHINE, ROWS).write(tmp_path)
    older = MACHINE | {"date": "2026-01-01"}
    Report("startup", "How soon?", older, [Row("daemon", {"median_ms": 3.0})]).write(tmp_path)
    Report("promises", "Kept?", MACHINE, [Row("start_ms", {"promised": 1.0}, note="BROKEN")]).write(tmp_path)
    (tmp_path / "other.json").write_text("[1]")
    return page.write(tmp_path).read_text()


def test_every_report_is_a_section_and_promises_come_first(written):
    sections = [attributes["id"] for tag, attributes in Elements(written).found if tag == "section"]
    assert sections == ["promises", "mfcc", "startup"]


def test_text_is_escaped(written):
    assert "an &lt;odd&gt; &amp; old one" in written
    assert "&lt;b&gt;faster&lt;/b&gt;" in written
    assert "How &lt;fast&gt;?" in written
    assert not {"odd", "b", "fast"} & {tag for tag, _ in Elements(written).found}


def test_nothing_is_fetched(written):
    for tag, attributes in Elements(written).found:
        assert tag not in ("script", "link", "img", "iframe")
        for key in ("src", "href", "xlink:href"):
            assert attributes.get(key, "#").startswith("#")
    assert not re.search(r"url\((?!#)", written)
    assert "@import" not in written


def test_a_header_differing_from_the_page_stands_in_its_section(written):
    assert "2026-01-01" in written.partition('id="startup"')[2]
    assert written.count("an &lt;odd&gt;") == 1


def test_plots_are_in_the_page_and_beside_it(tmp_path):
    pytest.importorskip("matplotlib")
    report = Report("mfcc", "?", MACHINE, ROWS)
    plots.write(report, tmp_path)
    assert (tmp_path / "mfcc.png").read_bytes().startswith(b"\x89PNG")
    drawn = plots.svg(report)
    assert drawn.startswith("<svg")
    assert drawn in page.render([report])
    assert drawn == plots.svg(report), "the same rows give the same drawing"
    assert plots.svg(Report("mfcc", "?", MACHINE, [ROWS[2]])) == ""
    assert plots.svg(Report("no plot of this", "?", MACHINE, ROWS)) == ""


def test_growth_reads_sizes_from_names():
    pytest.importorskip("matplotlib")
    figures = {"search_ms": 1.0, "build_s": 2.0, "anonymous_mib": 3.0}
    rows = [Row("1,000 items", figures), Row("10,000 items", figures), Row("5 swaps under load", {"asked": 3})]
    assert plots.svg(Report("million", "?", MACHINE, rows)).startswith("<svg")


def test_without_matplotlib_there_are_tables(written, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(plots, "available", lambda: False)
    assert page.main([str(tmp_path)]) == 0
    text = (tmp_path / "index.html").read_text()
    assert "<svg" not in text
    assert "<table>" in text
    assert "tables only" in capsys.readouterr().err


def test_a_folder_that_is_none_is_a_usage_error(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        page.main([str(tmp_path / "none")])
    assert stopped.value.code == 2
    assert "is no folder" in capsys.readouterr().err


def test_the_json_is_read_as_it_was_written(tmp_path):
    Report("mfcc", "?", MACHINE, ROWS).write(tmp_path)
    document = json.loads((tmp_path / "mfcc.json").read_text())
    assert [Row(**row) for row in document["rows"]] == ROWS
