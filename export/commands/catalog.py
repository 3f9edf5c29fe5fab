"""``roomtone-export catalog``: a folder of music and films to a catalogue that a device searches."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge import bundle
from edge.errors import UsageError

if TYPE_CHECKING:
    from export.catalog.embed import SoundModel

NAME = "catalog"
HELP = "understand a folder of music and films, and write the catalogue that lies on the device"
EXAMPLE = "roomtone-export catalog ~/Music --bundle my-bundle --out my-catalog"
TEACHERS = ("musicnn-msd",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("media_dir", type=Path, metavar="MEDIA_DIR", help="searched with all its subfolders")
    add("--bundle", type=Path, default=bundle.DEFAULT, metavar="BUNDLE", help="the device's bundle (default: our own)")
    add("--out", type=Path, required=True, metavar="SNAPSHOT", help="made, or replaced when it is a snapshot")
    add("--name", help="the snapshot's name (default: the media folder's)")
    add("--teacher", choices=TEACHERS, help="embed the audio view with this large model instead of the bundle's")
    add("--projection", type=Path, metavar="FILE", help="the teacher's projection.npz, from the student's training")
    add("--engine", default="local", metavar="local|ray", help="what runs the work (default local)")
    add("--runtime", choices=("litert", "onnx"), help="inference runtime (default: the first that is installed)")
    add("--work", type=Path, metavar="DIR", help="where results are kept for the next build (default SNAPSHOT.work)")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    from tqdm import tqdm

    from export.catalog.build import build_catalog

    report = build_catalog(
        arguments.media_dir, bundle=arguments.bundle, out=arguments.out, teacher=_teacher(arguments),
        engine=arguments.engine, runtime=arguments.runtime, name=arguments.name, work=arguments.work,
        progress=lambda files, total: tqdm(files, total=total, desc="catalogue", unit="file", disable=None))
    for skipped in () if arguments.json else report.skipped:
        print(f"skipped: {skipped.reason}", file=sys.stderr)
    return report.document() if arguments.json else {**report.document(), "skipped": None}


def _teacher(arguments: argparse.Namespace) -> "SoundModel | None":
    if arguments.teacher is None:
        return None
    if arguments.projection is None:
        raise UsageError(f"--teacher {arguments.teacher} needs --projection FILE, into the space of the bundle's "
                         "audio view")
    from export.catalog.embed import TeacherSound
    from export.data.fetch import fetch
    from export.data.recipes import find, load_packages
    from export.teachers.musicnn import Musicnn
    from export.teachers.projection import Projection

    projection = Projection.load(arguments.projection)
    return TeacherSound(Musicnn.from_package(fetch(find(load_packages(), "musicnn"))), projection)
