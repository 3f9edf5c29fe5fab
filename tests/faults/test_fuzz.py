"""A few inputs to each parser; ``python -m tests.faults.fuzz`` is the long run."""

import json
import os
import subprocess
import sys

import pytest

from edge.errors import UsageError
from tests.faults import fuzz
from tests.faults.parsing import PARSERS, Parser


def test_nothing_but_a_roomtone_error_escapes(tmp_path):
    """In a process of its own: fork is for processes without threads."""
    done = subprocess.run([sys.executable, "-m", "tests.faults.fuzz", "--inputs", "2000", "--json", "--keep", tmp_path],
                          capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    results = json.loads(done.stdout)
    assert {result["parser"] for result in results} == {parser.name for parser in PARSERS}
    assert all(result["inputs"] > 0 and result["failures"] == 0 for result in results)


def fragile(_folder):
    def parse(_key, content):
        if content != b"valid":
            raise UsageError("not valid") if len(content) % 2 else KeyError(len(content))

    return [("", b"valid")], parse


def deadly(_folder):
    def parse(_key, content):
        if len(content) > 5:
            os._exit(7)

    return [("", b"valid")], parse


def test_what_escapes_is_counted_and_kept_and_comes_again(tmp_path):
    first, second = (fuzz.run(Parser("fragile", 1, fragile), 200, keep=tmp_path / str(turn)) for turn in range(2))
    assert 0 < first.failures < 200
    assert all(kind.startswith("KeyError at test_fuzz.py:") for kind in first.kinds)
    assert first.kinds == second.kinds
    assert len(list((tmp_path / "0").glob("fragile-*.txt"))) == min(first.failures, fuzz.MOST_KEPT)


def test_a_process_that_dies_is_counted_and_the_next_inputs_are_tried():
    result = fuzz.run(Parser("deadly", 1, deadly), 10)
    assert result.failures >= 1
    assert result.inputs == 10
    assert set(result.kinds) == {"the process ended (7)"}


def test_a_parser_that_refuses_its_own_valid_inputs_proves_nothing():
    def refuses(_folder):
        def parse(_key, _content):
            raise UsageError("never")

        return [("", b"valid")], parse

    with pytest.raises(RuntimeError, match="cannot be prepared"):
        fuzz.run(Parser("refuses", 1, refuses), 10)
