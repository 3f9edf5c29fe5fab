"""A release: the bundle, the catalogue and the self-test that were published together.

``release.json``, the first target of a repository, format 1; the files are the targets ``bundle/NAME`` and
``catalog/NAME``::

    {"format": 1, "version": "2026.11",
     "bundle": {"audio.tflite": SHA256, "manifest.json": SHA256, "manifest.sig": SHA256, ...},
     "catalog": {"items.sqlite": SHA256, ...},
     "self_test": {"outputs": {"audio": {"audio": [0.1, ...], ...}}, "nearest": {"audio": "track:..."},
                   "words": {"text": "...", "item": "track:..."}}}
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import UpdateError
from edge.manifest import MAX_NUMBER, Fields
from edge.update.pointer import NAME

FILE_NAME = "release.json"
FORMAT_VERSION = 1
MAX_BYTES = 1 << 20
MOST_FILES = 1000
PARTS = ("bundle", "catalog")


@dataclass(frozen=True)
class SelfTest:
    """Known inputs (probe.py) and what must come out."""

    outputs: dict[str, dict[str, list[float]]]
    """Kind of model to view to the vector that the probe gives."""
    nearest: dict[str, str]
    """View to an item: its own vector finds it first."""
    words: dict[str, str]
    """``text``, and the ``item`` that it finds; empty where the catalogue has no items."""


@dataclass(frozen=True)
class ReleaseFiles:
    """What one release consists of."""

    version: str
    files: dict[str, str]
    """Target, as ``bundle/audio.tflite``, to the SHA-256 of its bytes in hex."""
    self_test: SelfTest
    name: str
    """The version and the first digits of the document's SHA-256: two releases never have the same."""


def parse(content: bytes) -> ReleaseFiles:
    """Raises UpdateError naming the field; any bytes at all raise nothing else."""
    if len(content) > MAX_BYTES:
        raise UpdateError(f"{FILE_NAME}: larger than {MAX_BYTES} bytes")
    try:
        fields = Fields(json.loads(content.decode("utf-8")), FILE_NAME, UpdateError)
    except (ValueError, RecursionError) as error:
        raise UpdateError(f"{FILE_NAME}: not a JSON document: {str(error)[:120]}") from error
    if (found := fields.integer("format")) != FORMAT_VERSION:
        raise UpdateError(f"{FILE_NAME}: format {found} is not the format {FORMAT_VERSION} that this version reads; "
                          "update Roomtone first")
    version = fields.text("version")
    name = f"{version}+{hashlib.sha256(content).hexdigest()[:12]}"
    if not NAME.fullmatch(name):
        raise UpdateError(f"{FILE_NAME}: version {version!r:.80} must be of letters, digits, dots and dashes")
    files = {target: digest for part in PARTS for target, digest in _files(part, fields.fields(part))}
    return ReleaseFiles(version, files, _self_test(fields.fields("self_test")), name)


def _files(part: str, fields: Fields) -> Iterator[tuple[str, str]]:
    if len(fields.keys()) > MOST_FILES:
        raise UpdateError(f"{FILE_NAME}: {part} has more than {MOST_FILES} files")
    for name in fields:
        if name in ("", ".", "..") or Path(name).name != name or not name.isprintable():
            raise UpdateError(f"{FILE_NAME}: {part} lists {name!r:.80}, which is not the name of a file")
        yield f"{part}/{name}", fields.text(name)


def _self_test(fields: Fields) -> SelfTest:
    outputs = fields.fields("outputs")
    nearest, words = fields.fields("nearest"), fields.fields("words")
    return SelfTest(
        outputs={kind: _vectors(outputs.fields(kind)) for kind in outputs},
        nearest={view: nearest.text(view) for view in nearest},
        words={key: words.text(key) for key in ("text", "item")} if words.keys() else {})


def _vectors(fields: Fields) -> dict[str, list[float]]:
    return {view: [_number(value) for value in fields.rows(view)] for view in fields}


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not abs(value) <= MAX_NUMBER:
        raise UpdateError(f"{FILE_NAME}: {value!r:.80} in a vector is not a finite number")
    return float(value)
