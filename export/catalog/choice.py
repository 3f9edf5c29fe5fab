"""Which models a catalogue is embedded with, in words: another process or machine opens the same from them."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from edge.bundle import DEFAULT, open_bundle
from export.catalog.embed import Embedders, SoundModel, TeacherSound, bundle_embedders


@dataclass(frozen=True)
class ModelChoice:
    bundle: str = str(DEFAULT)
    """Folder of the device's bundle; the catalogue lies in its spaces."""
    runtime: str | None = None
    """``litert`` or ``onnx``; by default the first that is installed."""
    teacher: str | None = None
    """Embeds the ``audio`` view instead of the bundle's student: a name or a folder (export/teachers/open.py)."""
    projection: str | None = None
    """The teacher's projection into the bundle's space, as its student's training saved it."""

    def open(self) -> Embedders:
        """Raises RoomtoneErrors about the bundle, the runtime, the teacher and its projection."""
        return bundle_embedders(open_bundle(self.bundle), runtime=self.runtime, teacher=self._teacher())

    def _teacher(self) -> SoundModel | None:
        if self.teacher is None or self.projection is None:
            return None
        from export.teachers.open import open_teacher
        from export.teachers.projection import Projection

        return TeacherSound(open_teacher(self.teacher), Projection.load(Path(self.projection)))

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "ModelChoice":
        return cls(**json.loads(text))
