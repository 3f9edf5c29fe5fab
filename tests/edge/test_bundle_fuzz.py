"""Whatever bytes lie in a bundle's folder, opening it raises a RoomtoneError or opens it; nothing else, and quickly."""

import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from edge.bundle import open_bundle
from edge.errors import RoomtoneError
from edge.trust import Trust
from export.manifest import seal

VALID = {
    "format": 1, "name": "fuzz", "version": "1", "sequence": 3,
    "models": {"audio": {
        "files": {"litert": "a.tflite"}, "input_shape": [1, 9, 5], "parity": {},
        "outputs": [{"view": "audio", "dimension": 4, "space": "a@1"}],
        "frontend": {"kind": "mfcc", "constants": "a.npz"}}}}
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=6)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.tflite").write_bytes(b"model")
    (tmp_path / "a.npz").write_bytes(b"constants")
    seal(tmp_path, VALID)
    return tmp_path


def places(document, path=()):
    """Every place in a document that a value can stand at."""
    yield path
    if not isinstance(document, dict | list):
        return
    for key, value in document.items() if isinstance(document, dict) else enumerate(document):
        yield from places(value, (*path, key))


def replaced(document, path, value):
    if not path:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[path[0]] = replaced(copy[path[0]], path[1:], value)
    return copy


def opened_or_refused(folder, trust=None):
    said = ""
    try:
        open_bundle(folder, trust=trust)
    except RoomtoneError as error:
        said = str(error)
    assert "\n" not in said
    assert len(said) < 2000


def test_the_document_that_is_altered_is_valid(folder):
    assert open_bundle(folder).sequence == 3


@FUZZ
@given(st.binary(max_size=300))
@example(b"[" * 100_000)
@example(b'{"format": 1e999}')
@example(b'{"format": ' + b"9" * 5000 + b"}")
@example(b"{\"format\": 1, \"name\": \"\\ud800\"}")
def test_any_bytes_as_manifest(folder, content):
    (folder / "manifest.json").write_bytes(content)
    opened_or_refused(folder)


@FUZZ
@given(st.data())
def test_any_value_at_any_place(folder, data):
    seal(folder, VALID)
    document = json.loads((folder / "manifest.json").read_text())
    path = data.draw(st.sampled_from(list(places(document))))
    (folder / "manifest.json").write_text(json.dumps(replaced(document, path, data.draw(anything))))
    opened_or_refused(folder)
    opened_or_refused(folder, Trust({}, unsigned_allowed=True))


@FUZZ
@given(st.sampled_from(["../a", "/etc/passwd", "a/b", "..", ".", "", "a\0b", "manifest.json", "a" * 5000, "\udcff"]))
def test_a_path_that_escapes_is_refused(folder, name):
    seal(folder, VALID)
    document = json.loads((folder / "manifest.json").read_text())
    document["files"][name] = {"bytes": 5, "sha256": "0" * 64}
    (folder / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(RoomtoneError):
        open_bundle(folder)


@FUZZ
@given(st.binary(max_size=300))
def test_any_bytes_as_signature(folder, content):
    (folder / "manifest.sig").write_bytes(content)
    with pytest.raises(RoomtoneError):
        open_bundle(folder, trust=Trust({"k": b"\0" * 32}, unsigned_allowed=True))


def test_a_link_and_a_folder_in_place_of_a_file_are_refused(folder):
    (folder / "a.npz").rename(folder / "real")
    (folder / "a.npz").symlink_to(folder / "real")
    with pytest.raises(RoomtoneError):
        open_bundle(folder)
    (folder / "a.npz").unlink()
    (folder / "a.npz").mkdir()
    with pytest.raises(RoomtoneError):
        open_bundle(folder)
