import json

from benchmarks.report import Report, Row, table

ROWS = [
    Row("ours", {"median_ms": 0.123456, "count": 5}),
    Row("theirs", {"median_ms": None, "size_mib": 1234.5}, note="not installed: pip install x|y"),
]


def test_columns_are_the_figures_in_order_of_appearance():
    assert table(ROWS).splitlines() == [
        "|  | median ms | count | size mib | note |",
        "| --- | ---: | ---: | ---: | --- |",
        "| ours | 0.123 | 5 |  |  |",
        r"| theirs |  |  | 1234 | not installed: pip install x\|y |",
    ]


def test_without_notes_there_is_no_column_for_them():
    assert table([ROWS[0]]).splitlines()[0] == "|  | median ms | count |"


def test_a_report_is_written_as_json_and_markdown(tmp_path):
    machine = {"cpu": "a", "flags": ["x", "y"], "packages": {"numpy": "2"}}
    report = Report("speed", "How fast?", machine, ROWS)
    report.write(tmp_path / "new" / "folder")
    document = json.loads((tmp_path / "new" / "folder" / "speed.json").read_text())
    assert document["rows"][0] == {"name": "ours", "figures": {"median_ms": 0.123456, "count": 5}, "note": ""}
    assert document["machine"] == machine
    text = (tmp_path / "new" / "folder" / "speed.md").read_text()
    assert text.startswith("# speed: How fast?\n\n|  | median ms |")
    assert "- flags: x y\n- packages: numpy 2\n" in text
