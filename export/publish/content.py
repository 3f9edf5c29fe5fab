"""What a release is made of: a signed bundle, a catalogue of its spaces, and the self-test that belongs to them."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge import ed25519, manifest
from edge.bundle import FORMAT_VERSION as BUNDLE_FORMAT
from edge.bundle import open_bundle
from edge.catalog.snapshot import FORMAT_VERSION as SNAPSHOT_FORMAT
from edge.catalog.snapshot import open_snapshot
from edge.errors import BundleError, ExportError, RoomtoneError, SnapshotError
from edge.trust import SIGNATURE_NAME, Trust
from edge.update import release
from export.publish.expected import self_test


@dataclass(frozen=True)
class Content:
    """Opened as a device opens it, and found to be whole."""

    files: dict[str, Path]
    """Target, as ``bundle/audio.tflite``, to where it lies now."""
    document: bytes
    """release.json."""
    sequence: int
    """The bundle's."""


def collect(bundle_dir: Path, catalog_dir: Path, version: str | None = None) -> Content:
    """Check a bundle and a catalogue and describe them as a release.

    ``version`` defaults to the bundle's and the catalogue's. Raises BundleError, SnapshotError, EngineError, and
    ExportError for a bundle that nobody signed or whose runtimes disagree.
    """
    bundle = open_bundle(bundle_dir, trust=_own_signer(bundle_dir))
    with open_snapshot(catalog_dir, spaces=bundle.spaces()) as snapshot:
        tests = self_test(bundle, snapshot)
        named = version or f"{bundle.version}-{snapshot.version}"
    folders = {
        "bundle": _listed(bundle_dir, BUNDLE_FORMAT, BundleError),
        "catalog": _listed(catalog_dir, SNAPSHOT_FORMAT, SnapshotError)}
    document: dict[str, Any] = {"format": release.FORMAT_VERSION, "version": named, "self_test": tests}
    for part, paths in folders.items():
        document[part] = {path.name: _sha256(path) for path in paths}
    encoded = json.dumps(document, sort_keys=True, ensure_ascii=False).encode()
    release.parse(encoded)  # what a device would refuse is not published
    files = {f"{part}/{path.name}": path for part, paths in folders.items() for path in paths}
    return Content(files, encoded, bundle.sequence)


def _own_signer(folder: Path) -> Trust:
    """Trust in whoever signed it: whose signature counts is the device's to say, but unsigned it opens nothing."""
    try:
        words = (folder / SIGNATURE_NAME).read_text("ascii").split()
        key = bytes.fromhex(words[1])
    except (OSError, ValueError, IndexError) as error:
        raise ExportError(f"{folder}: is not signed, and no device would open it; sign it with: roomtone-export sign "
                          f"{folder} --key FILE") from error
    return Trust({"signer": key} if len(key) == ed25519.PUBLIC_KEY_BYTES else {})


def _listed(folder: Path, format_version: int, error: type[RoomtoneError]) -> list[Path]:
    """The files that belong to a sealed folder; what else lies there stays here."""
    names = [*manifest.read(folder, format_version=format_version, error=error).fields("files"), manifest.FILE_NAME]
    if (folder / SIGNATURE_NAME).is_file():
        names.append(SIGNATURE_NAME)
    return [folder / name for name in sorted(set(names))]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
