"""Writing so that a power cut leaves the old or the new, never a half: fsync before a name points at the bytes."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file; it holds the old bytes or the new ones, whenever the power goes. Raises OSError."""
    made = path.with_name(f"{path.name}.new")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Have a file's bytes, or a folder's names, on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Every file and folder below, then the folder itself. Raises OSError."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            sync_tree(path)
        elif path.is_file():
            sync(path)
    sync(folder)
