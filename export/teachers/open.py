"""Teachers by name."""

from edge.errors import UsageError
from export.teachers.base import Teacher

NAMES = ("musicnn-msd",)


def open_teacher(name: str) -> Teacher:
    """Fetch what it needs, unless the cache has it. Raises UsageError naming those that there are, ExportError."""
    if name not in NAMES:
        raise UsageError(f"teacher {name!r:.80} is not one of {', '.join(NAMES)}")
    from export.data.fetch import fetch
    from export.data.recipes import find, load_packages
    from export.teachers.musicnn import Musicnn

    return Musicnn.from_package(fetch(find(load_packages(), "musicnn")))
