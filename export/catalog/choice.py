"""Which models a catalogue is embedded with, in words: another process or machine opens the same from them."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from edge.bundle import DEFAULT, open_bundle
from edge.errors import UsageError
from export.catalog.embed import Embedders, TeacherSound, bundle_embedders

if TYPE_CHECKING:
    from export.teachers.base import PictureTeacher, Teacher


@dataclass(frozen=True)
class ModelChoice:
    bundle: str = str(DEFAULT)
    """Folder of the device's bundle; the catalogue lies in its spaces."""
    runtime: str | None = None
    """``litert`` or ``onnx``; by default the first that is installed."""
    teachers: tuple[tuple[str, str], ...] = ()
    """At most one of sound, which embeds the ``audio`` view instead of the bundle's student, and one of pictures, for
    the ``video`` view: its name or folder (export/teachers/open.py), and the file of its projection into the bundle's
    space, as its student's training saved it."""

    def open(self) -> Embedders:
        """Raises RoomtoneErrors about the bundle, the runtime, the teachers and their projections."""
        taught: dict[str, Any] = {}
        for name, projection in self.teachers:
            taught |= _open(name, Path(projection), already=taught)
        return bundle_embedders(open_bundle(self.bundle), runtime=self.runtime, **taught)

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "ModelChoice":
        said = json.loads(text)
        return cls(**{**said, "teachers": tuple(map(tuple, said["teachers"]))})


def _open(name: str, projection: Path, *, already: dict[str, Any]) -> dict[str, Any]:
    """An argument of bundle_embedders."""
    from export.teachers.open import known, open_any
    from export.teachers.projection import Projection

    takes = known(name).takes
    if takes == "text":
        raise UsageError(f"--teacher {name}: it takes text, and no view of a catalogue is made of text; words are "
                         "found by search, a teacher of sound or pictures embeds the audio or the video view")
    argument = "teacher" if takes == "sound" else "picture_teacher"
    if argument in already:
        raise UsageError(f"--teacher {name}: there is another one that takes {takes}; give one of each kind")
    loaded, teacher = Projection.load(projection), open_any(name)
    if takes == "sound":
        return {argument: TeacherSound(cast("Teacher", teacher), loaded)}
    return {argument: (cast("PictureTeacher", teacher), loaded)}
