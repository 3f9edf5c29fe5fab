"""What a folder holds, in one order, and nothing that could lead out of it."""

import os

import pytest

from edge.errors import ExportError
from export.catalog.scan import media_file, scan


@pytest.fixture
def folder(tmp_path):
    for name in ("b/two.MP3", "a.flac", "b/one.mkv", "c/deep/er/x.xm", "notes.txt", ".hidden/x.mp3", "b/.x.mp3"):
        path = tmp_path / "media" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")
    (tmp_path / "media" / "loop").symlink_to(tmp_path / "media")
    (tmp_path / "media" / "z.mp3").symlink_to(tmp_path / "media" / "a.flac")
    (tmp_path / "media" / "folder.mp3").mkdir()
    return tmp_path / "media"


def test_media_come_in_order_with_their_kind(folder):
    assert [(file.name, file.kind) for file in scan(folder)] == [
        ("a.flac", "track"), ("b/one.mkv", "film"), ("b/two.MP3", "track"), ("c/deep/er/x.xm", "track")]


def test_a_file_is_described_by_what_tells_a_change(folder):
    file = next(scan(folder))
    assert (file.path, file.size_bytes) == (folder / "a.flac", 5)
    assert file.modified_ns == (folder / "a.flac").stat().st_mtime_ns


def test_more_may_be_known_about_a_file(folder):
    assert media_file(folder / "a.flac", name="x", known={"artist": "Ana"}).known == {"artist": "Ana"}


def test_no_folder_is_an_error(folder):
    for wrong in (folder / "none", folder / "a.flac"):
        with pytest.raises(ExportError, match="is not a folder"):
            list(scan(wrong))
    with pytest.raises(ExportError, match="cannot be looked at: No such file"):
        media_file(folder / "none", name="none")


def test_folders_may_lie_deeper_than_python_recurses(tmp_path):
    deepest = tmp_path
    for _ in range(1_200):
        deepest = deepest / "d"
        deepest.mkdir()
    (deepest / "x.ogg").write_bytes(b"12345")
    try:
        assert [file.name for file in scan(tmp_path)] == ["d/" * 1_200 + "x.ogg"]
    finally:  # pytest's own cleaning recurses
        (deepest / "x.ogg").unlink()
        os.removedirs(deepest)


def test_only_regular_files_are_media(folder):
    os.mkfifo(folder / "pipe.mp3")
    assert "pipe.mp3" not in [file.name for file in scan(folder)]
