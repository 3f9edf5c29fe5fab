"""The check that every media file passes before a decoder sees it."""

import stat
from pathlib import Path

from edge.errors import MediaError


def existing_file(name: str | Path) -> Path:
    """The path, if it is a file with something in it that can be read. Raises MediaError naming the fix."""
    path = Path(name)
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode) and status.st_size:
            with path.open("rb"):
                return path
    except FileNotFoundError:
        raise MediaError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MediaError(f"{path}: cannot be read: {reason}") from error
    if stat.S_ISDIR(status.st_mode):
        raise MediaError(f"{path} is a folder; give one sound or film file in it")
    if stat.S_ISREG(status.st_mode):
        raise MediaError(f"{path} is empty; copy it again")
    raise MediaError(f"{path} is not a file but a device or a pipe; give a sound or film file")
