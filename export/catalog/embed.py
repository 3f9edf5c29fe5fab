"""What turns sound and pictures into the vectors of a catalogue, behind two small interfaces.

The device's own models embed everything; where there is a teacher, it takes over the view whose space it made.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from edge.audio.encoder import AudioEncoder
from edge.bundle import Bundle, Model
from edge.context import Embedding
from edge.engine.base import Engine
from edge.engine.open import RUNTIMES, open_engine
from edge.errors import EngineError, ExportError, RuntimeMissingError
from edge.video import shot
from edge.video.encoder import VideoEncoder
from edge.video.source import Frame
from export.catalog.writer import ViewSpec
from export.teachers.base import PictureTeacher, Teacher
from export.teachers.projection import Projection

SAMPLE_RATE_HZ = 16_000
WINDOWS_VIEW = "recording"
"""The view that holds the vector of every window of a track rather than one for an item."""
WINDOWS_VIEWS = (WINDOWS_VIEW, shot.VIEW)
"""And that of every picture of a shot that is looked at."""
STUDENT_HOP_S = 1.0
RENDITIONS = 4
"""In so many rooms beside none a track is heard, for the view that tells recordings apart (worn.py)."""
TEACHER_HOP_S = 3.0
TEACHER_VIEW, PICTURE_TEACHER_VIEW = "audio", "video"


class SoundModel(Protocol):
    """Embeds a piece of sound, window by window."""

    @property
    def identity(self) -> str:
        """Changes whenever its vectors might."""
        ...

    @property
    def views(self) -> Mapping[str, ViewSpec]: ...

    def embed(self, sound: np.ndarray) -> list[Embedding]:
        """np.ndarray [shape=(n,), dtype=int16] at 16 kHz -> the embeddings of its windows; silent ones are left out."""
        ...


class PictureModel(Protocol):
    """Embeds a picture."""

    @property
    def identity(self) -> str: ...

    @property
    def views(self) -> Mapping[str, ViewSpec]: ...

    def embed(self, frame: Frame) -> Embedding | None:
        """The next picture of a film; None for one that shows nothing."""
        ...

    def reset(self) -> None:
        """Another film begins."""
        ...


class StudentSound:
    """The bundle's audio model through the device's own code."""

    def __init__(self, model: Model, engine: Engine):
        self.identity, self.views = f"{_identity(model, engine)} in {RENDITIONS} rooms", _views(model)
        self._encoder = AudioEncoder(model, engine, hop_s=STUDENT_HOP_S)

    def embed(self, sound: np.ndarray) -> list[Embedding]:
        self._encoder.reset()
        return self._encoder.push(sound) + self._encoder.flush()


class StudentPictures:
    """The bundle's video model through the device's own code."""

    def __init__(self, model: Model, engine: Engine):
        self.identity, self.views = _identity(model, engine), _views(model)
        if video := self.views.get("video"):
            space = shot.shot_space(video.space)
            self.views[shot.VIEW] = ViewSpec(space, shot.shot_dimension(video.dimension), windows=True)
            self.identity += f" {space}"
        self._encoder = VideoEncoder(model, engine, skip_static=False)

    def embed(self, frame: Frame) -> Embedding | None:
        return self._encoder.encode(frame)

    def reset(self) -> None:
        self._encoder.reset()


class TeacherSound:
    """A teacher and the projection into the space that the student was trained to land in."""

    def __init__(self, teacher: Teacher, projection: Projection):
        """Raises ExportError when the teacher does not hear at the rate that sound is decoded at."""
        if teacher.rate_hz != SAMPLE_RATE_HZ:
            raise ExportError(f"teacher {teacher.name} takes {teacher.rate_hz} Hz, sound is decoded at "
                              f"{SAMPLE_RATE_HZ} Hz; resample inside the teacher")
        self._teacher, self._projection = teacher, projection
        self.identity = f"{teacher.name} {projection.space} every {TEACHER_HOP_S} s"
        self.views = {TEACHER_VIEW: ViewSpec(projection.space, projection.axes.shape[1])}

    def embed(self, sound: np.ndarray) -> list[Embedding]:
        """Window after window; a sound shorter than one is repeated until it fills one."""
        length, hop = self._teacher.window_samples, int(TEACHER_HOP_S * SAMPLE_RATE_HZ)
        whole = np.resize(sound, length) if 0 < len(sound) < length else sound
        starts = [at for at in range(0, len(whole) - length + 1, hop) if whole[at : at + length].any()]
        if not starts:
            return []
        vectors = self._projection.apply(self._teacher.embed(np.stack([whole[at : at + length] for at in starts])))
        return [Embedding("audio", at / SAMPLE_RATE_HZ, (at + length) / SAMPLE_RATE_HZ, {TEACHER_VIEW: vector})
                for at, vector in zip(starts, vectors, strict=True)]


class TeacherPictures:
    """A teacher of pictures and the projection into the space that the student was trained to land in.

    What tells shots apart stays the student's own, as on the device.
    """

    def __init__(self, student: PictureModel, teacher: PictureTeacher, projection: Projection):
        self._student, self._teacher, self._projection = student, teacher, projection
        self.identity = f"{student.identity} + {teacher.name} {projection.space}"
        self.views = {**student.views, PICTURE_TEACHER_VIEW: ViewSpec(projection.space, projection.axes.shape[1])}

    def embed(self, frame: Frame) -> Embedding | None:
        seen = self._student.embed(frame)
        if seen is None:
            return None
        features = self._teacher.embed(_squeezed(frame.image, self._teacher.side_px)[np.newaxis])
        return replace(seen, vectors={**seen.vectors, PICTURE_TEACHER_VIEW: self._projection.apply(features)[0]})

    def reset(self) -> None:
        self._student.reset()


def _squeezed(image: np.ndarray, side_px: int) -> np.ndarray:
    """The whole picture in a square, uint8 (side, side, 3), as the device does it (edge/video/frames.py)."""
    import cv2

    shrinks = min(image.shape[:2]) >= side_px
    return cv2.resize(image, (side_px, side_px), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


@dataclass(frozen=True)
class Embedders:
    """What a catalogue is embedded with. Of two sound models that fill the same view, the later one does."""

    sound: Sequence[SoundModel]
    pictures: PictureModel | None

    @property
    def identity(self) -> str:
        return " + ".join(model.identity for model in self._models())

    @property
    def views(self) -> dict[str, ViewSpec]:
        """View to what it holds, in the bundle's order."""
        return {view: spec for model in self._models() for view, spec in model.views.items()}

    def _models(self) -> list[SoundModel | PictureModel]:
        return [*self.sound, self.pictures] if self.pictures else [*self.sound]

    def hear(self, sound: np.ndarray) -> dict[str, list[Embedding]]:
        """View to the embeddings of a sound's windows, np.ndarray [shape=(n,), dtype=int16] at 16 kHz."""
        heard = [(model, model.embed(sound)) for model in self.sound]
        return {view: embeddings for model, embeddings in heard for view in model.views}

    def hear_track(self, sound: np.ndarray) -> dict[str, list[Embedding]]:
        """The same, and what tells recordings apart as rooms make it too."""
        from export.catalog.worn import in_rooms  # and torch, which only processes that embed tracks need

        heard = self.hear(sound)
        for model in self.sound:
            if WINDOWS_VIEW in model.views:
                heard[WINDOWS_VIEW] = in_rooms(sound, heard[WINDOWS_VIEW], WINDOWS_VIEW, model.embed,
                                               renditions=RENDITIONS)
        return heard


def bundle_embedders(
    bundle: Bundle, *, runtime: str | None = None, teacher: SoundModel | None = None,
    picture_teacher: tuple[PictureTeacher, Projection] | None = None,
) -> Embedders:
    """The bundle's models, and teachers in place of the students where they share a view.

    ``runtime``: ``litert`` or ``onnx``; by default the first that is installed. Raises ExportError when a teacher's
    space is not the bundle's.
    """
    for view, spec in teacher.views.items() if teacher else ():
        _check_space(bundle, view, spec.space)
    sound: list[SoundModel] = []
    if "audio" in bundle.models:
        model = bundle.model("audio")
        sound.append(StudentSound(model, _engine(model, runtime)))
    sound += [teacher] if teacher else []
    pictures: PictureModel | None = None
    if "video" in bundle.models:
        model = bundle.model("video")
        pictures = StudentPictures(model, _engine(model, runtime))
    if picture_teacher:
        _check_space(bundle, PICTURE_TEACHER_VIEW, picture_teacher[1].space)
        assert pictures is not None, "a bundle with the space has the model"
        pictures = TeacherPictures(pictures, *picture_teacher)
    return Embedders(sound, pictures)


def _check_space(bundle: Bundle, view: str, space: str) -> None:
    if bundle.spaces().get(view) != space:
        raise ExportError(f"the teacher embeds the {view} view into {space!r}, the bundle {bundle.path} into "
                          f"{bundle.spaces().get(view)!r}; use the teacher that the bundle's student learned from")


def _engine(model: Model, runtime: str | None) -> Engine:
    missing: EngineError | None = None
    for name in (runtime,) if runtime else [name for name in RUNTIMES if name in model.files]:
        try:
            return open_engine(name, model.file(name))
        except RuntimeMissingError as error:
            missing = error
    raise missing or EngineError(f"{model.folder}: its {model.kind} model has no file for {' or '.join(RUNTIMES)}")


def _identity(model: Model, engine: Engine) -> str:
    with model.file(engine.runtime).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:12]
    return f"{model.kind} {digest} {engine.runtime} every {STUDENT_HOP_S} s"


def _views(model: Model) -> dict[str, ViewSpec]:
    return {out.view: ViewSpec(out.space, out.dimension, out.view in WINDOWS_VIEWS,
                               STUDENT_HOP_S if out.view in WINDOWS_VIEWS else None, out.least_sureness)
            for out in model.outputs if not out.labels}
