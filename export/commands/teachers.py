"""``roomtone-export teachers``: which large models there are, what they declare, what they make of something."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from edge.errors import MediaError

NAME = "teachers"
HELP = "list the large pretrained models, or embed files or words with one of them"
EXAMPLE = 'roomtone-export teachers minilm-l6-v2 "slow piano music" "a fast drum solo" --json'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from export.data.fetch import DEFAULT_CACHE

    parser.add_argument("teacher", nargs="?", metavar="NAME", help="one of the list, clip:FOLDER for one of your own")
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help="sound files, pictures or texts, as it takes them")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, metavar="DIR",
                        help="where fetched packages are kept (default: %(default)s)")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    from export.teachers.base import declaration
    from export.teachers.open import TEACHERS, known, open_any

    if arguments.teacher is None:
        return {teacher.usage: teacher.takes for teacher in TEACHERS}
    takes, teacher = known(arguments.teacher).takes, open_any(arguments.teacher, arguments.cache)
    said = {**declaration(teacher), "takes": takes}
    if not arguments.inputs:
        return said
    vectors = _embedded(teacher, takes, arguments.inputs)
    return {**said, "embeddings": [{"input": given, "vector": [round(float(value), 6) for value in vector]}
                                   for given, vector in zip(arguments.inputs, vectors, strict=True)]}


def _embedded(teacher: Any, takes: str, inputs: Sequence[str]) -> np.ndarray:
    """One vector an input, float32 (n, d): of a sound, the mean over its windows."""
    if takes == "text":
        return cast(np.ndarray, teacher.embed(inputs))
    if takes == "pictures":
        return cast(np.ndarray, teacher.embed(np.stack([_picture(Path(each), teacher.side_px) for each in inputs])))
    return np.stack([teacher.embed(_windows(Path(each), teacher)).mean(axis=0) for each in inputs])


def _picture(path: Path, side_px: int) -> np.ndarray:
    from export.data.pictures import MIN_SIDE_PX, read_pictures

    found = read_pictures([path], side_px)
    if not len(found):
        raise MediaError(f"{path}: no picture of {MIN_SIDE_PX} pixels or more can be decoded there")
    return found[0]


def _windows(path: Path, teacher: Any) -> np.ndarray:
    """Window after window; a sound shorter than one is repeated until it fills one."""
    from export.data.decode import decode

    sound, length = decode(path), teacher.window_samples
    if not len(sound):
        raise MediaError(f"{path}: holds no sound")
    count = max(1, len(sound) // length)
    return np.resize(sound, (count, length)) if len(sound) < length else sound[: count * length].reshape(count, length)
