"""What a start uses: the release that the pointer names, as long as it proves itself; else the one before it.

A release on trial that was started MOST_STARTS times without having been healthy for HEALTHY_AFTER_S is taken back,
as is one that does not open. Each start is written down before anything of the release is opened, so that no crash
escapes the count.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge import bundle, installed
from edge.catalog import snapshot
from edge.errors import BudgetError, BundleError, EngineError, RuntimeMissingError, SnapshotError, StateError
from edge.update import pointer
from edge.update.pointer import Pointer

UPDATES, RELEASES = "updates", "releases"
BUNDLE, CATALOG = "bundle", "catalog"
MOST_STARTS = 3
HEALTHY_AFTER_S = 60.0
SHIPPED = "what comes with Roomtone"
BROKEN = (BundleError, SnapshotError, EngineError, BudgetError)
"""What a release raises that cannot be used here."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Release:
    """A bundle and a catalogue that belong together."""

    bundle: Path = bundle.DEFAULT
    catalog: Path = snapshot.DEFAULT
    name: str | None = None
    """None for what comes with Roomtone."""
    on_trial: bool = False


def release_of(state_dir: Path, name: str | None, *, on_trial: bool = False) -> Release:
    if name is None:
        return Release()
    folder = state_dir / UPDATES / RELEASES / name
    return Release(folder / BUNDLE, folder / CATALOG, name, on_trial)


def in_use(state_dir: Path) -> Release:
    """What the daemon of this state folder uses, for the commands beside it; nothing is counted."""
    try:
        found = pointer.read(state_dir / UPDATES)
    except StateError:
        return Release()
    return release_of(state_dir, found.release, on_trial=not found.proved)


def start(state_dir: Path, run: Callable[[Release], int]) -> int:
    """Run with the release in use; where it cannot be opened, with the one before it, and so on.

    Returns what ``run`` returns. Raises what it raises over what comes with Roomtone.
    """
    release = begin(state_dir)
    while True:
        try:
            return run(release)
        except BROKEN as error:
            if release.name is None or isinstance(error, RuntimeMissingError):  # the device's lack, not the release's
                raise
            release = give_up(state_dir, release, str(error))


def begin(state_dir: Path) -> Release:
    """The release for this start, which is counted when it is on trial."""
    try:
        found = pointer.read(state_dir / UPDATES)
    except StateError as error:
        log.error("using %s: %s", SHIPPED, error)
        return Release()
    if found.proved:
        return release_of(state_dir, found.release)
    return _tried(state_dir, found)


def _tried(state_dir: Path, found: Pointer) -> Release:
    if found.starts >= MOST_STARTS:
        why = f"started {found.starts} times without having been healthy for {HEALTHY_AFTER_S:g} s"
        return _reverted(state_dir, found, why)
    counted = Pointer(found.release, found.before, False, found.starts + 1, found.failed)
    if _replaced(state_dir, found, counted):
        log.info("release %s is on trial, start %d of %d", found.release, counted.starts, MOST_STARTS)
        return release_of(state_dir, found.release, on_trial=True)
    log.error("a start that cannot be counted must not be a trial: using the release before %s", found.release)
    return release_of(state_dir, found.before)


def give_up(state_dir: Path, release: Release, why: str) -> Release:
    """The one before a release that does not open. Only a trial ends with that: what was proved may come again."""
    try:
        found = pointer.read(state_dir / UPDATES)
    except StateError:
        return Release()
    if release.on_trial and found.release == release.name:
        return _reverted(state_dir, found, why)
    instead = release_of(state_dir, found.before if found.release == release.name else None)
    log.error("release %s cannot be used, using %s: %s", release.name, instead.name or SHIPPED, why)
    return instead


def _reverted(state_dir: Path, found: Pointer, why: str) -> Release:
    log.error("release %s is taken back to %s: %s", found.release, found.before or SHIPPED, why)
    _replaced(state_dir, found, found.reverted(why))
    return release_of(state_dir, found.before)


def _replaced(state_dir: Path, found: Pointer, changed: Pointer) -> bool:
    """False when it could not be written, or is not any more what was found: an update came in between."""
    updates = state_dir / UPDATES
    try:
        with pointer.locked(updates):
            if pointer.read(updates) != found:
                return False
            pointer.write(updates, changed)
    except StateError as error:
        log.error("%s", error)
        return False
    return True


def prove(release: Release) -> None:
    """The release has been healthy: nothing goes back before it any more. Raises StateError, BundleError."""
    updates = release.bundle.parents[2]
    with pointer.locked(updates):
        found = pointer.read(updates)
        if found.release == release.name and not found.proved:
            pointer.write(updates, Pointer(found.release, found.before, True, 0, found.failed))
    opened = bundle.open_bundle(release.bundle)
    installed.remember(updates.parent, opened.name, opened.sequence)
    log.info("release %s has proved itself", release.name)
