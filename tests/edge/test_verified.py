"""The record of verified folders: known only while nothing was touched, and never by guess."""

import json
import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge import manifest, verified
from edge.errors import SnapshotError
from edge.verified import Verified
from export.manifest import seal


@pytest.fixture
def sealed(tmp_path, monkeypatch):
    """A folder that has settled: the test need not wait."""
    monkeypatch.setattr(verified, "SETTLED_S", 0.0)
    folder = tmp_path / "sealed"
    folder.mkdir()
    (folder / "a.bin").write_bytes(b"hello")
    seal(folder, {"format": 1, "name": "x"})
    return folder


@pytest.fixture
def record(tmp_path):
    return Verified(tmp_path / "state" / "verified.json")


def read(folder, record):
    manifest.read(folder, format_version=1, error=SnapshotError, verified=record)
    return record.known


def rewrite(path, content: bytes):
    """Other bytes of the same length, with the times that the file had."""
    before = path.stat()
    time.sleep(0.02)  # the kernel's clock of files ticks every 4 or 10 ms
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_folder_is_known_once_it_was_remembered(sealed, record):
    assert not read(sealed, record)
    record.remember()
    assert read(sealed, record)
    assert not read(sealed, Verified(record._path.with_name("other.json")))


def test_a_known_folder_is_not_read_again(sealed, record, monkeypatch):
    read(sealed, record)
    record.remember()
    monkeypatch.setattr(manifest, "_check_file", lambda *_: pytest.fail("read again"))
    assert read(sealed, record)


def test_everything_is_hashed_where_that_is_asked_for(sealed, record, monkeypatch):
    read(sealed, record)
    record.remember()
    monkeypatch.setenv(verified.SETTING, verified.ALWAYS)
    assert not read(sealed, record)
    monkeypatch.setenv(verified.SETTING, "sometimes")
    assert read(sealed, record)


def test_a_changed_file_is_hashed_though_size_and_time_are_as_before(sealed, record):
    read(sealed, record)
    record.remember()
    rewrite(sealed / "a.bin", b"jello")
    with pytest.raises(SnapshotError, match="altered"):
        read(sealed, record)


def test_another_manifest_is_another_folder(sealed, record):
    read(sealed, record)
    record.remember()
    seal(sealed, {"format": 1, "name": "y"})
    assert not read(sealed, record)


def test_what_was_not_found_good_is_never_recorded(sealed, record):
    rewrite(sealed / "a.bin", b"jello")
    with pytest.raises(SnapshotError):
        read(sealed, record)
    assert not record._path.exists()


def test_a_file_that_has_just_changed_is_not_recorded(sealed, record, monkeypatch):
    monkeypatch.setattr(verified, "SETTLED_S", 1000.0)
    read(sealed, record)
    record.remember()
    assert not record._path.exists()


def test_an_old_record_counts_for_nothing(sealed, record, monkeypatch):
    read(sealed, record)
    record.remember()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 31 * verified.DAY_S)
    assert not read(sealed, record)
    monkeypatch.setattr(time, "time", lambda: now - verified.DAY_S)  # a clock set back says nothing of age
    assert not read(sealed, record)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.recursive(
    st.none() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["time_s", "seen", "files"]), inner),
    max_leaves=6).map(lambda document: json.dumps(document).encode())))
def test_no_record_from_elsewhere_is_believed(sealed, record, content):
    record._path.parent.mkdir(exist_ok=True)
    record._path.write_bytes(content)
    assert not read(sealed, record)


def test_a_record_that_cannot_be_written_is_only_said(sealed, tmp_path, caplog):
    (tmp_path / "file").touch()
    record = Verified(tmp_path / "file" / "verified.json")
    read(sealed, record)
    record.remember()
    assert "will be hashed at the next start again" in caplog.text
