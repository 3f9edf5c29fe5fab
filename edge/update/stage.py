"""The folder in which a release is put together: what is on the device already is linked, the rest fetched."""

import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from edge.disk import sync_tree
from edge.errors import StateError, UpdateError
from edge.update.release import PARTS, ReleaseFiles
from edge.update.repository import Repository

MARGIN_BYTES = 4 << 20
"""What must stay free beside the files."""
log = logging.getLogger(__name__)


class Stage:
    """One release's folder, on its way."""

    def __init__(self, staging: Path, releases: Path, repository: Repository, wanted: ReleaseFiles):
        """``releases``: those that are here. Raises UpdateError when the repository lacks a file of ``wanted``."""
        self._releases, self._repository = releases, repository
        self._targets = {name: repository.target(name) for name in wanted.files}
        for name, digest in wanted.files.items():
            if self._targets[name].hashes.get("sha256") != digest:
                raise UpdateError(f"{name} is not the file of release {wanted.name}; publish the release again")
        named = releases / wanted.name
        whole = all(self._verified(named / name, name) for name in self._targets)
        self.folder = named if whole else staging / wanted.name
        """The release's own where it is here already, whole, as after an update that was killed before its flip."""

    def fill(self, say: Callable[[str, int, int], None]) -> tuple[int, int]:
        """Returns the bytes that were fetched and those that were here. Raises UpdateError, StateError."""
        total = sum(target.length for target in self._targets.values())
        done, fetched = 0, 0
        try:
            for part in PARTS:
                (self.folder / part).mkdir(parents=True, exist_ok=True, mode=0o700)
            missing = [name for name in self._targets if not self._here(name)]
            self._check_space(missing)
            for name, target in self._targets.items():
                if name in missing:
                    (self.folder / name).unlink(missing_ok=True)  # a link would be written through
                    self._repository.fetch(target, self.folder / name)
                    fetched += target.length
                done += target.length
                say(name, done, total)
            self._remove_unlisted()
            sync_tree(self.folder)
        except OSError as error:
            raise StateError(f"{self.folder}: cannot be written: {error.strerror or error}; free space, or give "
                             "access") from error
        return fetched, done - fetched

    def _here(self, name: str) -> bool:
        """Whether the file is staged, or lies in a release and could be linked: flash wears, and bytes cost."""
        if self._verified(self.folder / name, name):
            return True
        for release in sorted(self._releases.glob("*")):
            if self._verified(release / name, name):
                (self.folder / name).unlink(missing_ok=True)
                os.link(release / name, self.folder / name)
                return True
        return False

    def _verified(self, path: Path, name: str) -> bool:
        try:
            if path.is_symlink() or path.stat().st_size != self._targets[name].length:
                return False
            with path.open("rb") as file:
                self._targets[name].verify_length_and_hashes(file)
        except OSError:
            return False
        except Exception as error:  # tuf's own, imported by repository.py alone
            log.debug("%s is another file: %s", path, error)
            return False
        return True

    def _check_space(self, missing: list[str]) -> None:
        sizes = [self._targets[name].length for name in missing]
        needed = sum(sizes) + max(sizes, default=0) + MARGIN_BYTES  # the largest lies in scratch as well for a while
        free = shutil.disk_usage(self.folder).free
        if sizes and free < needed:
            raise StateError(f"{self.folder}: the update needs {needed} bytes and the disk has {free} free; make room")

    def _remove_unlisted(self) -> None:
        for part in PARTS:
            for path in (self.folder / part).iterdir():
                if f"{part}/{path.name}" not in self._targets:
                    path.unlink()
