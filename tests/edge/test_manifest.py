"""The sealed folder: whatever is in it, opening it gives the manifest or one sentence that names the file."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import manifest
from edge.errors import BundleError, SnapshotError
from edge.manifest import Fields
from export.manifest import seal


@pytest.fixture
def sealed(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"hello")
    (tmp_path / "empty").touch()
    seal(tmp_path, {"format": 1, "name": "x"})
    return tmp_path


def read(folder, error=BundleError):
    return manifest.read(folder, format_version=1, error=error)


def change(folder, **changes):
    """Alter the manifest; None takes a key away."""
    path = folder / "manifest.json"
    document = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in document.items() if value is not None}))


def refused(folder, message, error=BundleError):
    with pytest.raises(error, match=message) as raised:
        read(folder, error)
    assert str(folder) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_whole_folder_is_read(sealed):
    assert read(sealed).text("name") == "x"
    assert list(read(sealed).fields("files")) == ["a.bin", "empty"]


def test_the_caller_says_which_error(sealed):
    (sealed / "a.bin").unlink()
    refused(sealed, "a.bin", SnapshotError)


@pytest.mark.parametrize("place", range(5))
def test_any_flipped_byte_is_found(sealed, place):
    content = bytearray(b"hello")
    content[place] ^= 1
    (sealed / "a.bin").write_bytes(content)
    refused(sealed, r"a\.bin: altered: SHA-256 .* copy the folder again")


@pytest.mark.parametrize("content", [b"", b"hell", b"hello!"])
def test_another_size_is_found(sealed, content):
    (sealed / "a.bin").write_bytes(content)
    refused(sealed, r"a\.bin: its size is not the 5 bytes")


def test_a_missing_file_is_named(sealed):
    (sealed / "a.bin").unlink()
    refused(sealed, r"a\.bin: listed in the manifest but not readable: No such file")


def test_a_missing_folder_and_a_file_in_its_place(tmp_path):
    refused(tmp_path / "none", r"cannot read its manifest\.json: No such file")
    (tmp_path / "file").touch()
    refused(tmp_path / "file", r"cannot read its manifest\.json: Not a directory")


def test_a_link_is_not_followed(sealed, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "secret"
    outside.write_bytes(b"hello")
    (sealed / "a.bin").unlink()
    (sealed / "a.bin").symlink_to(outside)
    refused(sealed, r"a\.bin")


def test_a_pipe_does_not_hang(sealed):
    (sealed / "empty").unlink()
    os.mkfifo(sealed / "empty")
    refused(sealed, "empty")
    (sealed / "manifest.json").unlink()
    os.mkfifo(sealed / "manifest.json")
    refused(sealed, r"manifest\.json")


@pytest.mark.parametrize("name", [
    "../a.bin", "/etc/hostname", "sub/a.bin", "..", ".", "", "a\0b", "manifest.json", "\ud800", "a" * 5000, "./a.bin"])
def test_a_name_that_is_no_file_of_the_folder(sealed, name):
    change(sealed, files={name: {"bytes": 5, "sha256": "0" * 64}})
    refused(sealed, "manifest")


@pytest.mark.parametrize(("listed", "said"), [
    ({"bytes": -1, "sha256": ""}, "'bytes' = -1 must lie in 0"),
    ({"bytes": 5.0, "sha256": ""}, "'bytes' must be a whole number"),
    ({"bytes": True, "sha256": ""}, "'bytes' must be a whole number"),
    ({"bytes": 5}, "'sha256' must be text"),
    ({"bytes": 5, "sha256": "0" * 64}, "altered"),
    ([], "must be an object"),
])
def test_a_listing_that_cannot_be_used(sealed, listed, said):
    change(sealed, files={"a.bin": listed})
    refused(sealed, said)


@pytest.mark.parametrize(("version", "said"), [
    (2, "format 2 is not the format 1"), ("1", "must be a whole number"), (None, "must be a whole number")])
def test_another_format(sealed, version, said):
    change(sealed, format=version)
    refused(sealed, said)


@pytest.mark.parametrize("content", [
    b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b"[" * 100_000, b'{"format": 1' + b"0" * 5000 + b"}",
    b'{"format": 1, "files": NaN}'])
def test_a_manifest_that_is_none(sealed, content):
    (sealed / "manifest.json").write_bytes(content)
    refused(sealed, r"manifest\.json|format")


def test_a_huge_manifest_is_not_parsed(sealed):
    (sealed / "manifest.json").write_bytes(b" " * (manifest.MAX_MANIFEST_BYTES + 1))
    refused(sealed, r"manifest\.json: larger than 4194304 bytes")


def test_a_sparse_file_of_a_terabyte_is_refused_by_its_size(sealed):
    with (sealed / "a.bin").open("r+b") as file:
        file.truncate(1 << 40)
    refused(sealed, "its size is not the 5 bytes")


class TestFields:
    """Typed reading; the message names the place, the key and the value."""

    def fields(self, **table):
        return Fields(table, "here", BundleError)

    def test_values_of_the_right_type(self):
        fields = self.fields(t="text", i=3, n=2.5, whole=2, rows=[1], inner={"x": 1})
        assert (fields.text("t"), fields.integer("i")) == ("text", 3)
        assert (fields.number("n"), fields.number("whole")) == (2.5, 2.0)
        assert fields.rows("rows") == [1]
        assert fields.fields("inner").plain() == {"x": 1}
        assert "t" in fields
        assert list(fields) == fields.keys() == ["t", "i", "n", "whole", "rows", "inner"]

    @pytest.mark.parametrize("method", ["text", "integer", "number", "rows", "fields"])
    @pytest.mark.parametrize("value", [None, True, {}, [], "x", 1.5, "y" * 10_000])
    def test_any_other_type_is_said_in_short(self, method, value):
        right = {"text": str, "integer": int, "number": float, "rows": list, "fields": dict}[method]
        if isinstance(value, right):
            return
        with pytest.raises(BundleError, match=r"here: .*key") as raised:
            getattr(self.fields(key=value), method)("key")
        assert len(str(raised.value)) < 200

    @pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 10**400, -(10**400)])
    def test_a_number_is_finite(self, number):
        with pytest.raises(BundleError, match=r"here: 'n' = .* must be a finite number"):
            self.fields(n=number).number("n")

    def test_a_whole_number_lies_in_its_range(self):
        for number in (-1, 11, 10**400):
            with pytest.raises(BundleError, match=r"here: 'i' = .* must lie in 0 to 10"):
                self.fields(i=number).integer("i", 0, 10)

    @given(st.dictionaries(st.text(max_size=3), st.none() | st.booleans() | st.integers() | st.floats() | st.text()))
    def test_any_table_gives_a_value_or_the_error(self, table):
        fields = Fields(table, "here", BundleError)
        for key in ("", "a", *table):
            for method in (fields.text, fields.integer, fields.number, fields.rows, fields.fields):
                try:
                    method(key)
                except BundleError:
                    continue
