"""The target files of a repository: each under the SHA-256 of its bytes, so that no name is ever written twice."""

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from tuf.api.metadata import TargetFile

from edge.disk import sync
from edge.errors import ExportError

FOLDER = "targets"


class TargetFolder:
    """The ``targets`` folder of one repository."""

    def __init__(self, repository: Path):
        self.path = repository / FOLDER

    def add(self, name: str, source: Path) -> tuple[TargetFile, bool]:
        """Store a file as a target. Returns its description and whether it is new here. Raises ExportError."""
        try:
            target = TargetFile.from_file(name, str(source), ["sha256"])
            path = self.path / stored_name(target)
            if path.is_file() and _sha256(path) == target.hashes["sha256"]:
                return target, False
            path.parent.mkdir(parents=True, exist_ok=True)
            made = path.with_name(f"{path.name}.new")
            shutil.copyfile(source, made)
            made.chmod(0o644)  # a web server reads it
            sync(made)
            made.replace(path)
        except OSError as error:
            raise ExportError(f"{self.path}: {name} cannot be stored: {error.strerror or error}") from error
        return target, True

    def remove_others(self, kept: Iterable[TargetFile]) -> int:
        """Remove every file that none of these is. Returns how many there were. Raises ExportError."""
        wanted = {self.path / stored_name(target) for target in kept}
        others = [path for path in self.path.rglob("*") if path.is_file() and path not in wanted]
        try:
            for path in others:
                path.unlink()
        except OSError as error:
            raise ExportError(f"{self.path}: cannot be tidied: {error.strerror or error}") from error
        return len(others)


def stored_name(target: TargetFile) -> str:
    """Where a consistent snapshot has a target's bytes: ``bundle/SHA256.audio.tflite``."""
    folder, slash, name = target.path.rpartition("/")
    return f"{folder}{slash}{target.hashes['sha256']}.{name}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
