"""A promise is kept or broken by the worst row of the script that measures it."""

import pytest

from benchmarks.promises import BROKEN, KEPT, compare
from benchmarks.report import Report, Row
from edge.firmware import Promises

PROMISES = Promises(real_time_factor=10.0, list_p95_ms=50.0, start_ms=1000.0, pss_mib=80.0)


def reports(hear=20.0, see=15.0, list_ms=40.0):
    return [Report("end_to_end", "?", {}, [
        Row("hear: MFCC", {"real_time_factor": hear}), Row("see: 1 picture/s", {"real_time_factor": see}),
        Row("both", {"real_time_factor": 1.0}), Row("recommend: 10", {"p95_ms": list_ms})])]


@pytest.mark.parametrize(("found", "notes"), [
    (reports(), [KEPT, KEPT]),
    (reports(hear=10.0, see=10.0, list_ms=50.0), [KEPT, KEPT]),
    (reports(see=9.9), [BROKEN, KEPT]),
    (reports(hear=9.9), [BROKEN, KEPT]),
    (reports(list_ms=50.1), [KEPT, BROKEN]),
])
def test_the_worst_row_decides(found, notes):
    assert [row.note for row in compare(PROMISES, found)][:2] == notes


def test_what_was_not_measured_is_neither_kept_nor_broken():
    rows = {row.name: row for row in compare(PROMISES, [])}
    assert list(rows) == ["real_time_factor", "list_p95_ms", "start_ms", "pss_mib"]
    assert rows["pss_mib"].note == "not measured: run memory"
    assert rows["pss_mib"].figures == {"promised": 80.0, "measured": None}
