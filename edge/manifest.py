"""The sealed folder that bundles and snapshots share: ``manifest.json`` lists every file's size and SHA-256.

Nothing in the folder is parsed before its size and hash have been checked, save the manifest itself, which is
plain JSON of bounded size. Reading any bytes at all raises nothing but the error class that the caller names.
"""

import datetime
import hashlib
import json
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge.errors import RoomtoneError
from edge.trust import Trust, check_validity
from edge.verified import Verified

FILE_NAME = "manifest.json"
MAX_MANIFEST_BYTES = 4 << 20
MAX_NUMBER = sys.float_info.max


class Fields:
    """Typed reading of a JSON object from outside; a wrong type or a missing key names its place."""

    def __init__(self, table: Any, where: str, error: type[RoomtoneError]):
        self._where, self._error = where, error
        if not isinstance(table, dict):
            raise error(f"{where} must be an object, not {type(table).__name__}")
        self._table = table

    def _get(self, key: str, kind: type | tuple[type, ...], said: str) -> Any:
        value = self._table.get(key)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self._error(f"{self._where}: {key!r} must be {said}, not {value!r:.80}")
        return value

    def keys(self) -> list[str]:
        return list(self._table)

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def text(self, key: str) -> str:
        return self._get(key, str, "text")

    def integer(self, key: str, low: int = 0, high: int = 1 << 40) -> int:
        value = self._get(key, int, "a whole number")
        if not low <= value <= high:
            raise self._error(f"{self._where}: {key!r} = {value} must lie in {low} to {high}")
        return value

    def number(self, key: str) -> float:
        value = self._get(key, (int, float), "a number")
        if not abs(value) <= MAX_NUMBER:
            raise self._error(f"{self._where}: {key!r} = {value!r:.80} must be a finite number")
        return float(value)

    def truth(self, key: str) -> bool:
        value = self._table.get(key)
        if not isinstance(value, bool):
            raise self._error(f"{self._where}: {key!r} must be true or false, not {value!r:.80}")
        return value

    def rows(self, key: str) -> list[Any]:
        return self._get(key, list, "a list")

    def fields(self, key: str) -> "Fields":
        return Fields(self._table.get(key), f"{self._where}: {key}", self._error)

    def plain(self) -> dict[str, Any]:
        return dict(self._table)


def read(
    folder: Path, *, format_version: int, error: type[RoomtoneError], trust: Trust | None = None,
    least_sequence: int = 0, verified: Verified | None = None,
) -> Fields:
    """Check every listed file of a sealed folder and return the manifest.

    Raises ``error`` when the folder, the manifest or a file is missing, altered, too large, outside the folder
    or of another format version; the message names the file. With ``trust`` also, and first of all, when no trusted
    key signed the manifest; and when it has expired, or its sequence is below ``least_sequence``. Files that
    ``verified`` knows are not hashed again.
    """
    raw = _raw(folder, error)
    if trust is not None:
        trust.check(folder, raw, error)
    manifest = Fields(_parsed(raw, folder / FILE_NAME, error), str(folder / FILE_NAME), error)
    if trust is not None:
        check_validity(
            folder, expires=manifest.text("expires") if "expires" in manifest else None,
            sequence=sequence(manifest), least_sequence=least_sequence, today=datetime.date.today(), error=error)
    found = manifest.integer("format")
    if found != format_version:
        raise error(f"{folder}: format {found} is not the format {format_version} that this version reads")
    listed = manifest.fields("files")
    known = verified is not None and verified.look(folder, raw, listed)
    for name in () if known else listed:
        _check_file(folder, name, listed.fields(name), error)
    return manifest


def sequence(manifest: Fields) -> int:
    """A number that grows with every release of a bundle; 0 where its maker gave none."""
    return manifest.integer("sequence") if "sequence" in manifest else 0


def _raw(folder: Path, error: type[RoomtoneError]) -> bytes:
    path = folder / FILE_NAME
    try:
        if path.exists() and not path.is_file():
            raise error(f"{path}: not a file; copy the folder again")
        with path.open("rb") as file:
            raw = file.read(MAX_MANIFEST_BYTES + 1)
    except OSError as cause:
        raise error(f"{folder}: cannot read its {FILE_NAME}: {cause.strerror or cause}") from cause
    if len(raw) > MAX_MANIFEST_BYTES:
        raise error(f"{path}: larger than {MAX_MANIFEST_BYTES} bytes")
    return raw


def _parsed(raw: bytes, path: Path, error: type[RoomtoneError]) -> Any:
    try:
        return json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as cause:
        raise error(f"{path}: not a JSON document: {str(cause)[:120]}") from cause


def _check_file(folder: Path, name: str, listed: Fields, error: type[RoomtoneError]) -> None:
    if name != Path(name).name or name in ("", ".", "..", FILE_NAME) or "\0" in name:
        raise error(f"{folder}: the manifest lists {name!r:.80}, which is not a file of this folder")
    size, digest = listed.integer("bytes"), listed.text("sha256")
    path = folder / name
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):  # a link leads elsewhere, a pipe never ends
            raise error(f"{path}: not a file of its own; copy the folder again")
        if found.st_size != size:
            raise error(f"{path}: its size is not the {size} bytes of the manifest; copy the folder again")
        with path.open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as cause:
        raise error(f"{path}: listed in the manifest but not readable: {cause.strerror or cause}") from cause
    except UnicodeEncodeError as cause:
        raise error(f"{folder}: the manifest lists {name!r:.80}, which no file can be called") from cause
    if actual != digest:
        raise error(f"{path}: altered: SHA-256 {actual[:12]}... is not the manifest's {digest[:12]!r}...; "
                    "copy the folder again")
