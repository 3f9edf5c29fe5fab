"""Fetching from a cache that is filled already, and unpacking archives that may be hostile."""

import hashlib
import tarfile
import zipfile

import pytest

from edge.errors import ExportError
from export.data.fetch import _unpack, fetch, sha256_of
from export.data.recipes import Package


def _cached(cache, archive) -> Package:
    package = Package("toy", "1:2", "pypi", sha256_of(archive), "none", ("film",), nested=("*.zip",))
    kept = cache / "archives" / f"pypi-toy-{package.sha256[:16]}"
    kept.mkdir(parents=True)
    (kept / archive.name).write_bytes(archive.read_bytes())
    return package


def test_a_cached_archive_is_unpacked_with_what_is_nested_in_it(tmp_path):
    inner = tmp_path / "inner.zip"
    with zipfile.ZipFile(inner, "w") as packed:
        packed.writestr("film.txt", "shots")
    outer = tmp_path / "toy.whl"
    with zipfile.ZipFile(outer, "w") as packed:
        packed.write(inner, "inner.zip")
    root = fetch(_cached(tmp_path / "cache", outer), tmp_path / "cache")
    assert root.name == "toy-1_2"
    assert (root / "inner" / "film.txt").read_text() == "shots"
    assert fetch(Package("toy", "1:2", "pypi", "0" * 64, "none", ("film",)), tmp_path / "cache") == root


def test_sha256_is_the_published_one(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")  # FIPS 180-2, B.1
    assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of(tmp_path / "abc") == hashlib.sha256(b"abc").hexdigest()


def test_a_tar_member_cannot_leave_the_folder(tmp_path):
    evil = tmp_path / "evil.tar"
    (tmp_path / "file").write_text("x")
    with tarfile.open(evil, "w") as packed:
        packed.add(tmp_path / "file", "../escaped")
    with pytest.raises(ExportError, match=r"evil\.tar"):
        _unpack(evil, tmp_path / "root")
    assert not (tmp_path / "escaped").exists()


def test_garbage_is_no_archive(tmp_path):
    (tmp_path / "x.whl").write_bytes(b"garbage" * 100)
    with pytest.raises(ExportError, match="cannot be unpacked"):
        _unpack(tmp_path / "x.whl", tmp_path / "root")
