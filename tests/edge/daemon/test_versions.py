"""Since when a version is in use: kept across restarts, begun anew with a new version, never in the way."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.daemon.versions import FILE_NAME, used_since

FIRST = {"bundle": "b 1", "snapshot": "s 1"}


def test_kept_across_restarts_and_begun_anew_with_a_new_version(tmp_path):
    before_s = time.time() - 0.001
    first = used_since(tmp_path, FIRST)
    assert all(before_s <= since_s <= time.time() for since_s in first.values())
    time.sleep(0.01)
    assert used_since(tmp_path, FIRST) == first
    second = used_since(tmp_path, {**FIRST, "snapshot": "s 2"})
    assert second["bundle"] == first["bundle"]
    assert second["snapshot"] > first["snapshot"]
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", ["", "[]", '{"bundle": 1}', '{"bundle": {"b 1": "x"}}', "[" * 9000, "\xff"])
def test_a_damaged_file_is_begun_anew(tmp_path, content):
    (tmp_path / FILE_NAME).write_text(content, encoding="latin-1")
    assert used_since(tmp_path, FIRST)["bundle"] > 0
    assert json.loads((tmp_path / FILE_NAME).read_text()).keys() == FIRST.keys()


@given(st.binary(max_size=200))
def test_any_bytes(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("state")
    (folder / FILE_NAME).write_bytes(content)
    assert used_since(folder, FIRST).keys() == FIRST.keys()


def test_a_folder_that_cannot_be_written_is_only_said(tmp_path, caplog):
    assert used_since(tmp_path / "nowhere", FIRST)["bundle"] > 0
    assert "a restart will forget" in caplog.text
