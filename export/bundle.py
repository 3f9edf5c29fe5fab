"""Write model bundles: the folder that edge/bundle.py verifies and opens. The same inputs give the same bytes."""

import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge.bundle import FORMAT_VERSION, Output, open_bundle
from edge.errors import BundleError
from edge.manifest import FILE_NAME
from export.manifest import seal


@dataclass(frozen=True)
class ModelFiles:
    """One model as it goes into a bundle."""

    kind: str
    input_shape: tuple[int, ...]
    outputs: tuple[Output, ...]
    frontend: dict[str, Any]
    parity: dict[str, Any]
    models: dict[str, tuple[str, bytes]]
    """Runtime name to (file name, content)."""
    extra: dict[str, bytes]
    """Other files of this model: front-end constants, a model card."""

    def entry(self) -> dict[str, Any]:
        return {
            "files": {runtime: name for runtime, (name, _) in self.models.items()},
            "input_shape": list(self.input_shape),
            "outputs": [_said(output) for output in self.outputs],
            "frontend": self.frontend,
            "parity": self.parity,
        }


def _said(output: Output) -> dict[str, Any]:
    """Without what does not hold of it."""
    return {name: value for name, value in asdict(output).items() if value not in (None, (), False)}


def write_bundle(folder: Path, model: ModelFiles, *, name: str, version: str) -> None:
    """Make a bundle of one model, or add or replace that kind of model in an existing one.

    Written beside the folder and renamed into place: whoever opens it sees the old bundle or the new one. Raises
    BundleError for a damaged bundle, or a folder of other things.
    """
    folder = Path(folder)
    if folder.exists() and not (folder / FILE_NAME).is_file() and (folder.is_file() or any(folder.iterdir())):
        raise BundleError(f"{folder} exists and is not a bundle; name another place, or remove it")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        made = Path(scratch) / "new"
        made.mkdir()
        entries = _keep_others(folder, model, made)
        entries[model.kind] = model.entry()
        contents = {**dict(model.models.values()), **model.extra}
        for file_name, content in contents.items():
            (made / file_name).write_bytes(content)
        seal(made, {"format": FORMAT_VERSION, "name": name, "version": version, "models": entries})
        if folder.exists():
            folder.rename(Path(scratch) / "old")
        made.rename(folder)


def _keep_others(folder: Path, model: ModelFiles, made: Path) -> dict[str, Any]:
    """Copy what an existing bundle has of other kinds; returns their manifest entries."""
    if not (folder / FILE_NAME).is_file():
        return {}
    entries = {}
    for kind, kept in open_bundle(folder).models.items():
        if kind == model.kind:
            continue
        names = [path.name for path in kept.files.values()]
        names += [str(kept.frontend["constants"])] if "constants" in kept.frontend else []
        names += [path.name for path in folder.glob(f"{kind}_card.md")]
        for name in names:
            shutil.copyfile(folder / name, made / name)
        files = {runtime: (path.name, b"") for runtime, path in kept.files.items()}
        entries[kind] = ModelFiles(kind, kept.input_shape, kept.outputs, kept.frontend, kept.parity, files, {}).entry()
    return entries
