"""The signed metadata of a repository, written with python-tuf: root, targets, snapshot and timestamp.

Versioned names (consistent snapshots): whoever reads while something is published sees the old state or the new. The
timestamp is written last and makes the new state the one that counts.
"""

import datetime
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from edge.disk import write_whole
from edge.errors import ExportError, UsageError
from export.publish.keys import Keys

FOLDER = "metadata"
ROOT_DAYS = 730
RELEASE_DAYS = 365
ONLINE_ROLES = ("targets", "snapshot", "timestamp")


class MetadataFolder:
    """The ``metadata`` folder of one repository. Methods raise ExportError for files that are damaged or missing."""

    def __init__(self, repository: Path):
        self.path = repository / FOLDER

    @property
    def root_version(self) -> int:
        """0 when there is no repository yet."""
        return max((int(path.name.partition(".")[0]) for path in self.path.glob("*.root.json")), default=0)

    def published(self) -> dict[str, TargetFile]:
        """What the repository offers now; empty before its first release, and when its own keys did not sign it.

        Whoever can write to the server could otherwise have anything signed with the next renewal.
        """
        targets = self._targets()
        return dict(targets.targets) if targets and self._signed_by_its_own_keys(targets.version) else {}

    def _signed_by_its_own_keys(self, targets_version: int) -> bool:
        timestamp = self._timestamp()
        names = {"targets": f"{targets_version}.targets.json"}
        if timestamp:
            names["snapshot"] = f"{timestamp.snapshot_meta.version}.snapshot.json"
        return all(bool(self._root().get_verification_result(role, metadata.signed_bytes, metadata.signatures))
                   for role, metadata in ((role, self._file(name)) for role, name in names.items()))

    def recent(self, releases: int) -> list[TargetFile]:
        """What the last few states of the repository offered."""
        newest = self._targets()
        versions = range(newest.version, max(0, newest.version - releases), -1) if newest else ()
        there = [version for version in versions if (self.path / f"{version}.targets.json").exists()]
        return [target for version in there for target in self._read(f"{version}.targets.json").targets.values()]

    def expires(self) -> str:
        timestamp = self._timestamp()
        return timestamp.expires.isoformat() if timestamp else ""

    def _timestamp(self) -> Timestamp | None:
        return self._read("timestamp.json") if (self.path / "timestamp.json").exists() else None

    def _snapshot(self) -> Snapshot | None:
        """The one that the timestamp names."""
        timestamp = self._timestamp()
        return self._read(f"{timestamp.snapshot_meta.version}.snapshot.json") if timestamp else None

    def _targets(self) -> Targets | None:
        """Those that the snapshot names."""
        snapshot = self._snapshot()
        return self._read(f"{snapshot.meta['targets.json'].version}.targets.json") if snapshot else None

    def _root(self) -> Root:
        return self._read(f"{self.root_version}.root.json")

    def _read(self, name: str) -> Any:
        return self._file(name).signed

    def _file(self, name: str) -> "Metadata[Any]":
        try:
            return Metadata.from_file(str(self.path / name))
        except (RepositoryError, OSError) as error:
            raise ExportError(f"{self.path / name}: cannot be read: {error}; restore the repository") from error

    def write_root(self, keys: Keys, threshold: int) -> int:
        """A first root, or a next one that both its own keys and those before it sign. Returns its version."""
        if not 1 <= threshold <= len(keys.root):
            raise UsageError(f"--root-threshold {threshold} must lie in 1 to {len(keys.root)}, the root keys")
        root = Root(version=self.root_version + 1, expires=_in_days(ROOT_DAYS), consistent_snapshot=True)
        for signer in keys.root:
            root.add_key(signer.public_key, "root")
        root.roles["root"].threshold = threshold
        for role in ONLINE_ROLES:
            for signer in keys.of(role):
                root.add_key(signer.public_key, role)
        self._sign_root(Metadata(root), [*keys.root, *keys.old_root])
        return root.version

    def _sign_root(self, metadata: "Metadata[Root]", signers: Iterable[Any]) -> None:
        for signer in signers:
            metadata.sign(signer, append=True)
        verifier = self._root() if metadata.signed.version > 1 else metadata.signed
        for root in (verifier, metadata.signed):
            result = root.get_verification_result("root", metadata.signed_bytes, metadata.signatures)
            if not result:
                raise ExportError(f"root version {metadata.signed.version} has {len(result.signed)} of the "
                                  f"{result.threshold} signatures that version {root.version} asks for; give every "
                                  "--root-key, and --old-root-key where they change")
        store(self.path / f"{metadata.signed.version}.root.json", metadata.to_bytes())

    def write(self, targets: dict[str, TargetFile], keys: Keys, *, days: int, again: bool) -> None:
        """Offer these targets, with a timestamp for so many days; ``again`` signs them anew as well."""
        snapshot, root = self._snapshot(), self._root()
        version = snapshot.version if snapshot else 0
        if again or snapshot is None:
            version = self._write_release(targets, keys, root)
        content = (self.path / f"{version}.snapshot.json").read_bytes()
        made = Timestamp(version=_next(self._timestamp()), expires=_in_days(days),
                         snapshot_meta=_described(version, content))
        store(self.path / "timestamp.json", _signed(made, "timestamp", keys, root))

    def _write_release(self, targets: dict[str, TargetFile], keys: Keys, root: Root) -> int:
        """New targets and a snapshot of them, which no device sees before a timestamp names it. Returns its version."""
        made = Targets(version=_next(self._targets()), expires=_in_days(RELEASE_DAYS), targets=targets)
        content = _signed(made, "targets", keys, root)
        snapshot = Snapshot(version=_next(self._snapshot()), expires=_in_days(RELEASE_DAYS),
                            meta={"targets.json": _described(made.version, content)})
        described = _signed(snapshot, "snapshot", keys, root)
        store(self.path / f"{made.version}.targets.json", content)
        store(self.path / f"{snapshot.version}.snapshot.json", described)
        return snapshot.version


def _signed(signed: Any, role: str, keys: Keys, root: Root) -> bytes:
    metadata: Metadata[Any] = Metadata(signed)
    for signer in keys.of(role):
        if signer.public_key.keyid not in root.roles[role].keyids:
            raise ExportError(f"the key {signer.public_key.keyid[:16]}... is not the repository's {role} key; give the "
                              "one that it was made with, or a --root-key to replace it")
        metadata.sign(signer, append=True)
    return metadata.to_bytes()


def _described(version: int, content: bytes) -> MetaFile:
    return MetaFile(version, len(content), {"sha256": hashlib.sha256(content).hexdigest()})


def _next(before: Any) -> int:
    return before.version + 1 if before is not None else 1


def _in_days(days: int) -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(days=days)


def store(path: Path, content: bytes) -> None:
    """Whole or not at all. Raises ExportError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
        path.chmod(0o644)  # a web server reads it
    except OSError as error:
        raise ExportError(f"{path}: cannot be written: {error.strerror or error}") from error
