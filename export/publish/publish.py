"""Make or extend a repository: a first root, a release, a renewal, new keys; incremental, and safe to be cut short."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from tuf.api.metadata import TargetFile

from edge.errors import ExportError, UsageError
from edge.update import release
from export.publish.content import Content
from export.publish.files import TargetFolder, stored_name
from export.publish.keys import Keys
from export.publish.metadata import MetadataFolder

KEPT_RELEASES = 3
"""Files of so many states stay, for devices that are in the middle of an update."""


@dataclass(frozen=True)
class Published:
    """What was done."""

    repository: str
    root: str
    """The root.json that devices are given, by a way that they trust."""
    release: str
    new_release: bool
    new_root: bool
    added_files: int
    added_bytes: int
    kept_files: int
    removed_files: int
    expires: str
    """Until then devices believe that nothing newer exists, and update; renew before."""


@dataclass
class _Added:
    files: int = 0
    bytes: int = 0
    kept: int = 0


def publish(repository: Path, content: Content | None, keys: Keys, *, days: int, root_threshold: int = 1) -> Published:
    """Publish ``content``, or without it renew what is there; with root keys, begin the repository or replace its keys.

    ``days``: how long devices believe the new timestamp. Raises ExportError, UsageError.
    """
    metadata, targets = MetadataFolder(repository), TargetFolder(repository)
    if not metadata.root_version and not (keys.root and content):
        raise UsageError(f"{repository}: no repository yet; begin it with --bundle, --catalog, --key and --root-key")
    before = metadata.published() if metadata.root_version else {}
    if not before and not content:
        raise ExportError(f"{repository}: what it offers is not signed with its own keys; publish a release again")
    listed, added = dict(before), _Added()
    if content:
        _check_sequence(content, before)
        listed = _store(content, targets, added)
    if keys.root:
        metadata.write_root(keys, root_threshold)
    metadata.write(listed, keys, days=days, again=bool(keys.root or keys.release or listed != before))
    return Published(
        repository=str(repository), root=str(metadata.path / f"{metadata.root_version}.root.json"),
        release=_name(targets, listed), new_release=listed != before, new_root=bool(keys.root),
        added_files=added.files, added_bytes=added.bytes, kept_files=added.kept,
        removed_files=targets.remove_others(metadata.recent(KEPT_RELEASES)), expires=metadata.expires())


def _check_sequence(content: Content, before: dict[str, TargetFile]) -> None:
    """A device goes back to no older sequence, so it would refuse the whole release."""
    last = before[release.FILE_NAME].unrecognized_fields.get("custom", {}).get("sequence", 0) if before else 0
    if content.sequence < last:
        raise ExportError(f"the bundle's sequence {content.sequence} is older than {last}, which is published; sign it "
                          f"with --sequence {last} or more")


def _store(content: Content, targets: TargetFolder, added: _Added) -> dict[str, TargetFile]:
    listed = {}
    with tempfile.TemporaryDirectory() as scratch:
        document = Path(scratch) / release.FILE_NAME
        document.write_bytes(content.document)
        for name, path in {**content.files, release.FILE_NAME: document}.items():
            listed[name], new = targets.add(name, path)
            added.files += new
            added.kept += not new
            added.bytes += listed[name].length if new else 0
    listed[release.FILE_NAME].unrecognized_fields["custom"] = {"sequence": content.sequence}
    return listed


def _name(targets: TargetFolder, listed: dict[str, TargetFile]) -> str:
    try:
        return release.parse((targets.path / stored_name(listed[release.FILE_NAME])).read_bytes()).name
    except (OSError, KeyError) as error:
        raise ExportError(f"{targets.path}: the published release is missing: {error}; publish it again") from error
