"""A model's front end from an engineer's settings: what the manifest says, the constants, and the reader of files.

Settings come from a TOML file (``--frontend FILE``) and from ``--front KEY=VALUE``, which wins. For sound: those of
export.frontend.MfccDefinition, ``frames``, ``level_normalised``, ``standard`` (an .npz of ``mean`` and ``std`` per
coefficient; without it the cepstra go in as they are) and ``limit`` (the largest value that goes in, 0 for none:
frames of digital silence lie 30 deviations away and would widen the int8 grid). For pictures: ``height``,
``width``, ``mean``, ``std``.
"""

import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import UsageError
from export.damage import DAMAGED
from export.frontend import AUDIO_CONSTANTS, MfccDefinition, image_frontend, mfcc_constants, write_audio_frontend
from export.quantize.calibration import InputReader
from export.quantize.readers import PictureReader, SoundReader

SOUND_DEFAULTS: dict[str, Any] = {"frames": 300, "level_normalised": True, "standard": None, "limit": 0.0}
PICTURE_DEFAULTS: dict[str, Any] = {"height": 224, "width": 224, "mean": [127, 127, 127], "std": [128, 128, 128]}


@dataclass(frozen=True)
class FrontEnd:
    """What stands between media and a model's input."""

    input_shape: tuple[int, ...]
    settings: dict[str, Any]
    """As the manifest has it."""
    constants: dict[str, np.ndarray] | None
    """Arrays of the file that the settings name."""
    reader: InputReader


def read_settings(toml: Path | None, pairs: Sequence[str]) -> dict[str, Any]:
    """One table of settings. Raises UsageError for what is not TOML."""
    settings: dict[str, Any] = {}
    try:
        if toml is not None:
            settings = tomllib.loads(toml.read_text("utf-8"))
        for pair in pairs:
            settings |= tomllib.loads(pair)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--frontend {toml}: cannot be read: {error}") from error
    except (ValueError, RecursionError) as error:  # not TOML, or a number of thousands of digits
        raise UsageError(f"the front end's settings are not TOML, as frames = 300: {error!s:.200}") from error
    return settings


def front_end(kind: str, settings: dict[str, Any]) -> FrontEnd:
    """Raises UsageError for an unknown setting or one of a wrong type."""
    makers = {"audio": _sound, "video": _pictures}
    return makers[kind](settings)


def _sound(given: dict[str, Any]) -> FrontEnd:
    definition_keys = {field.name: field.default for field in fields(MfccDefinition)}
    settings = _merged({**SOUND_DEFAULTS, **definition_keys}, given)
    definition = MfccDefinition(**{key: settings[key] for key in definition_keys})
    mean, std = _standard(settings["standard"], definition.coefficients)
    with tempfile.TemporaryDirectory() as folder:
        manifest = write_audio_frontend(Path(folder), mean=mean, std=std, definition=definition)
        with np.load(Path(folder) / AUDIO_CONSTANTS) as arrays:
            constants = dict(arrays)
    manifest["level_normalised"] = settings["level_normalised"]
    if settings["limit"]:
        manifest["limit"] = settings["limit"]
    reader = SoundReader(mfcc_constants(definition), frames=settings["frames"], mean=mean, std=std,
                         level_normalised=settings["level_normalised"])
    return FrontEnd((1, settings["frames"], definition.coefficients), manifest, constants, reader)


def _pictures(given: dict[str, Any]) -> FrontEnd:
    settings = _merged(PICTURE_DEFAULTS, given)
    shape = (1, settings["height"], settings["width"], 3)
    manifest = image_frontend(mean=settings["mean"], std=settings["std"])
    return FrontEnd(shape, manifest, None, PictureReader(shape, mean=settings["mean"], std=settings["std"]))


def _merged(defaults: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    for key, value in given.items():
        if key not in defaults:
            raise UsageError(f"the front end has no setting {key!r}; it has {', '.join(defaults)}")
        kind = str if defaults[key] is None else type(defaults[key])
        accepted = (int, float) if kind is float else (kind,)
        if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
            raise UsageError(f"the front end's {key} = {value!r} must be of type {kind.__name__}")
        if isinstance(value, int | float) and (value < 0 or (kind is int and value == 0)):
            raise UsageError(f"the front end's {key} = {value!r} must be above zero")
    return defaults | given


def _standard(path: str | None, coefficients: int) -> tuple[np.ndarray, np.ndarray]:
    if path is None:
        return np.zeros(coefficients, np.float32), np.ones(coefficients, np.float32)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return arrays["mean"], arrays["std"]
    except DAMAGED as error:
        raise UsageError(f"standard = {path!r}: not an .npz of mean and std: {error}") from error
