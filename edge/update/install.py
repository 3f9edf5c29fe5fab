"""From a repository to a release on trial, step by step; killed at any of them, the device goes on as before.

1. refresh: the newest signed metadata;    2. stage: files that are here are linked, the others fetched and verified;
3. sync: all of it on the disk;    4. test: opened as the daemon would, within its memory, known input, known output;
5. name: the staging folder becomes the release's;    6. flip: pointer.json names it.

What a killed update staged is used by the next one.
"""

import dataclasses
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge import installed
from edge.bundle import open_bundle
from edge.catalog.snapshot import open_snapshot
from edge.disk import sync
from edge.errors import BundleError, SnapshotError, StateError, UpdateError
from edge.firmware import FirmwareProfile
from edge.memory import plan
from edge.trust import Trust
from edge.update import pointer, selftest, trial
from edge.update.pointer import Pointer
from edge.update.release import ReleaseFiles
from edge.update.repository import Repository
from edge.update.stage import Stage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Device:
    """Where a release is to work."""

    state_dir: Path
    trust: Trust
    profile: FirmwareProfile
    runtime: str | None = None

    @property
    def updates(self) -> Path:
        return self.state_dir / trial.UPDATES

    @property
    def releases(self) -> Path:
        return self.updates / trial.RELEASES

    @property
    def staging(self) -> Path:
        return self.updates / "staging"


@dataclass(frozen=True)
class Installed:
    """What an update did."""

    release: str
    new: bool
    fetched_bytes: int = 0
    kept_bytes: int = 0
    """Of files that were here before."""


def update(device: Device, repository: Repository, *, again: bool = False,
           say: Callable[[str, int, int], None] = lambda name, done, total: None) -> Installed:
    """Put the newest release on trial, unless it is in use. ``say``: a file's name, bytes done and in all.

    ``again``: even one that was reverted. Raises UpdateError, StateError, BundleError, SnapshotError, EngineError or
    BudgetError; the release in use stays as it is then.
    """
    repository.refresh()
    wanted = repository.release()
    found = _pointer(device)
    if wanted.name == found.release and _opens(device, wanted.name):
        return Installed(wanted.name, new=False)
    if wanted.name in found.failed and not again:
        raise UpdateError(f"release {wanted.name} was taken back on this device: {found.failed[wanted.name]}; publish "
                          "another, or try it --again")
    _remove_others(device, {wanted.name, found.release, found.before})
    stage = Stage(device.staging, device.releases, repository, wanted)
    done = stage.fill(say)
    _test(device, stage.folder, wanted, found)
    _name(device, stage.folder)
    with pointer.locked(device.updates):
        now = _pointer(device)
        target = now if now.release == wanted.name else now.pointing_at(wanted.name)
        pointer.write(device.updates, target)
    _remove_others(device, {target.release, target.before})
    return Installed(wanted.name, True, *done)


def _pointer(device: Device) -> Pointer:
    try:
        return pointer.read(device.updates)
    except StateError as error:
        log.warning("starting anew: %s", error)
        return Pointer()


def _opens(device: Device, name: str) -> bool:
    """Whether every byte of an installed release is as it should be."""
    used = trial.release_of(device.state_dir, name)
    try:
        open_bundle(used.bundle, trust=device.trust)
        open_snapshot(used.catalog).close()
    except (BundleError, SnapshotError) as error:
        log.warning("release %s is damaged and is installed again: %s", name, error)
        return False
    return True


def _test(device: Device, staged: Path, wanted: ReleaseFiles, found: Pointer) -> None:
    """Open what was staged as the daemon will, and have it do something known. Raises RoomtoneError."""
    bundle = open_bundle(staged / trial.BUNDLE, trust=device.trust)
    least = max(installed.least_sequence(device.state_dir, bundle.name), _sequence(device, found.release, bundle.name))
    if bundle.sequence < least:
        raise UpdateError(f"release {wanted.name}: its bundle's sequence {bundle.sequence} is older than {least}, "
                          "which was installed before; publish a newer one")
    with open_snapshot(staged / trial.CATALOG, spaces=bundle.spaces()) as snapshot:
        plan(device.profile, bundle, snapshot, runtime=device.runtime).check()
        kinds = [kind for kind in ("audio", "video") if getattr(device.profile, kind).enabled] + ["ranker"]
        selftest.check(bundle, snapshot, wanted.self_test, kinds=kinds,
                       runtime=device.runtime or device.profile.engine.runtime)


def _sequence(device: Device, name: str | None, bundle_name: str) -> int:
    try:
        used = open_bundle(trial.release_of(device.state_dir, name).bundle)
    except BundleError:
        return 0
    return used.sequence if used.name == bundle_name else 0


def _name(device: Device, staged: Path) -> None:
    named = device.releases / staged.name
    if staged == named:
        return
    try:
        device.releases.mkdir(exist_ok=True, mode=0o700)
        if named.exists():  # damaged
            shutil.rmtree(named)
        staged.rename(named)
        sync(device.releases)
    except OSError as error:
        raise StateError(f"{named}: cannot be made: {error.strerror or error}; free space, or give access") from error


def _remove_others(device: Device, kept: set[str | None]) -> None:
    """What no start and no update will want any more; what cannot be removed now is removed the next time."""
    for folder in (device.releases, device.staging):
        for path in folder.glob("*"):
            if path.name not in kept:
                shutil.rmtree(path, ignore_errors=True)


def summary(done: Installed) -> dict[str, Any]:
    return dataclasses.asdict(done)
