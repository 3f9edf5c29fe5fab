"""A model bundle: int8 models for each runtime, front-end constants and the spaces they embed into.

A bundle is a folder sealed by a manifest (edge/manifest.py). Layout of ``manifest.json``, format 1::

    {"format": 1, "name": "roomtone-default", "version": "1",
     "models": {"audio": {"files": {"litert": "audio.tflite", "onnx": "audio.onnx"},
                          "input_shape": [1, 300, 20],
                          "outputs": [{"view": "audio", "dimension": 64, "space": "..."},
                                      {"view": "recording", "dimension": 64, "space": "...", "least_sureness": 0.5},
                                      {"view": "kind", "dimension": 3, "space": "...", "exclusive": true,
                                       "labels": ["speech", "music", "other"]}],
                          "frontend": {"kind": "mfcc", "constants": "audio_frontend.npz", ...},
                          "parity": {...}},
                "video": {..., "input_shape": [1, 224, 224, 3],
                          "frontend": {"kind": "image", "mean": [127, 127, 127], "std": [128, 128, 128]}}},
     "files": {"audio.tflite": {"bytes": 320000, "sha256": "..."}, ...}}

Audio models take (1, frames, coefficients), video models (1, height, width, 3); outputs are (1, dimension), in
the order of ``outputs`` in every runtime's file.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge import manifest
from edge.errors import BundleError
from edge.trust import Trust
from edge.video import shot

FORMAT_VERSION = 1
KINDS = ("audio", "video")
DEFAULT = Path(__file__).resolve().parent / "assets" / "bundle"


@dataclass(frozen=True)
class Output:
    """One output of a model: the view that it lands in. Equal ``space`` means comparable vectors."""

    view: str
    dimension: int
    space: str
    labels: tuple[str, ...] = ()
    """Of a classifier, what each of its logits stands for; of a view that is searched, none."""
    exclusive: bool = False
    """Exactly one of the labels holds; else any number of them may."""
    least_sureness: float | None = None
    """Of a view of recordings: less sure than this (catalog/recording.py), a match is none, as measured with recordings
    that are not there."""


@dataclass(frozen=True)
class Model:
    """One model of a bundle; every file was verified when the bundle was opened."""

    kind: str
    files: dict[str, Path]
    """Runtime name (``litert``, ``onnx``) to model file."""
    input_shape: tuple[int, ...]
    outputs: tuple[Output, ...]
    frontend: dict[str, Any]
    parity: dict[str, Any]
    folder: Path

    def file(self, runtime: str) -> Path:
        if runtime not in self.files:
            raise BundleError(f"{self.folder}: no {self.kind} model for the {runtime} runtime; "
                              f"it has {', '.join(self.files)}")
        return self.files[runtime]


@dataclass(frozen=True)
class Bundle:
    path: Path
    name: str
    version: str
    models: dict[str, Model]
    sequence: int = 0
    """Grows with every release; a device goes back to no older one."""

    def model(self, kind: str) -> Model:
        if kind not in self.models:
            raise BundleError(f"{self.path}: the bundle has no {kind} model, only {', '.join(self.models)}")
        return self.models[kind]

    def spaces(self) -> dict[str, str]:
        """View name to the identifier of the space that this bundle's vectors of that view lie in."""
        spaces = {out.view: out.space for model in self.models.values() for out in model.outputs
                  if not out.labels}
        return spaces | ({shot.VIEW: shot.shot_space(spaces["video"])} if "video" in spaces else {})


def open_bundle(path: str | Path = DEFAULT, *, trust: Trust | None = None, least_sequence: int = 0) -> Bundle:
    """Verify a bundle and describe it. Raises BundleError; no model file has been parsed yet.

    ``trust`` asks for a signature of one of its keys and a sequence of at least ``least_sequence``. Roomtone's own
    bundle comes with the code that reads it and is trusted as that is.
    """
    folder = Path(path)
    fields = manifest.read(folder, format_version=FORMAT_VERSION, error=BundleError, least_sequence=least_sequence,
                           trust=None if folder.resolve() == DEFAULT else trust)
    models = fields.fields("models")
    return Bundle(
        path=folder,
        name=fields.text("name"),
        version=fields.text("version"),
        sequence=manifest.sequence(fields),
        models={kind: _model(kind, models.fields(kind), folder, fields.fields("files").keys())
                for kind in models},
    )


def _model(kind: str, fields: manifest.Fields, folder: Path, listed: list[str]) -> Model:
    if kind not in KINDS:
        raise BundleError(f"{folder}: unknown kind of model {kind!r:.80}; known: {', '.join(KINDS)}")
    files = fields.fields("files")
    frontend = fields.fields("frontend")
    named = [files.text(runtime) for runtime in files]
    if "constants" in frontend:
        named.append(frontend.text("constants"))
    for name in named:
        if name not in listed:
            raise BundleError(f"{folder}: {kind} names {name!r:.80}, which the manifest does not list")
    return Model(
        kind=kind,
        files={runtime: folder / files.text(runtime) for runtime in files},
        input_shape=_shape(fields, folder),
        outputs=tuple(_output(row, folder) for row in fields.rows("outputs")),
        frontend=frontend.plain(),
        parity=fields.fields("parity").plain(),
        folder=folder,
    )


def _shape(fields: manifest.Fields, folder: Path) -> tuple[int, ...]:
    shape = fields.rows("input_shape")
    if not shape or not all(type(n) is int and 0 < n <= 1 << 20 for n in shape):
        raise BundleError(f"{folder}: input_shape {shape!r:.80} must be positive whole numbers")
    return tuple(shape)


def _output(row: Any, folder: Path) -> Output:
    fields = manifest.Fields(row, f"{folder}: outputs", BundleError)
    dimension = fields.integer("dimension", 1, 65536)
    labels = tuple(fields.rows("labels")) if "labels" in fields else ()
    if labels and (len(set(map(repr, labels))) != dimension or not all(isinstance(name, str) for name in labels)):
        raise BundleError(f"{folder}: outputs: {len(labels)} labels {labels!s:.80} for {dimension} values; "
                          "each value needs a name of its own")
    return Output(fields.text("view"), dimension, fields.text("space"), labels,
                  exclusive="exclusive" in fields and fields.truth("exclusive"),
                  least_sureness=fields.number("least_sureness") if "least_sureness" in fields else None)
