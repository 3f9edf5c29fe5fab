"""A new folder in an old one's place: at every moment, killed or not, one of the two is there.

Linux exchanges two names in one step (renameat2, RENAME_EXCHANGE). Where a file system cannot, the old folder is set
aside under a name that ``recover`` knows.
"""

import ctypes
import os
import shutil
from pathlib import Path

from edge.disk import sync

AT_FDCWD, RENAME_EXCHANGE = -100, 2


def replace_folder(made: Path, folder: Path) -> None:
    """Give ``made``, complete and on the disk, the name ``folder``; an older one goes. Raises OSError."""
    if not folder.exists():
        made.rename(folder)
    elif exchange(made, folder):
        shutil.rmtree(made)
    else:
        folder.rename(_aside(folder))
        made.rename(folder)
        shutil.rmtree(_aside(folder))
    sync(folder.parent)


def recover(folder: Path) -> None:
    """Tidy up after a replacement that was killed: what was set aside comes back when nothing took its place."""
    aside = _aside(folder)
    if aside.exists() and not folder.exists():
        aside.rename(folder)
    shutil.rmtree(aside, ignore_errors=True)


def exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step; False where the system cannot."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    return rename is not None and rename(
        AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), ctypes.c_uint(RENAME_EXCHANGE)) == 0


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.aside")
