"""``roomtone-export catalog``: a folder of music and films to a catalogue that a device searches."""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge import bundle
from edge.errors import UsageError

if TYPE_CHECKING:
    from export.catalog.build import OpenEngine

NAME = "catalog"
HELP = "understand a folder of music and films, and write the catalogue that lies on the device"
EXAMPLE = "roomtone-export catalog ~/Music --bundle my-bundle --out my-catalog"
ENGINES = ("local", "ray")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("media_dir", type=Path, metavar="MEDIA_DIR", help="searched with all its subfolders; links are left out")
    add("--bundle", type=Path, default=bundle.DEFAULT, metavar="BUNDLE", help="the device's bundle (default: our own)")
    add("--out", type=Path, required=True, metavar="SNAPSHOT", help="made, or replaced when it is a snapshot")
    add("--name", help="the snapshot's name (default: the media folder's)")
    add("--teacher", action="append", default=[], metavar="NAME", help="embed the audio or the video view, as it hears "
        "or sees, with this large model instead of the bundle's (see roomtone-export teachers); twice for both")
    add("--projection", action="append", default=[], metavar="FILE",
        help="a teacher's projection.npz, from its student's training; one for each --teacher, in their order")
    add("--engine", choices=ENGINES, default="local", help="what runs the work (default local)")
    add("--workers", type=int, metavar="N", help="processes that decode and embed (default: one a core)")
    add("--ray-address", metavar="ADDRESS", help="with --engine ray: a cluster's address (default: one made here)")
    add("--runtime", choices=("litert", "onnx"), help="inference runtime (default: the first that is installed)")
    add("--work", type=Path, metavar="DIR", help="where results are kept for the next build (default SNAPSHOT.work)")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    from tqdm import tqdm

    from export.catalog.build import build_catalog
    from export.catalog.choice import ModelChoice

    if len(arguments.teacher) != len(arguments.projection):
        raise UsageError("--teacher NAME and --projection FILE go together: the teacher's vectors must lie in the "
                         "space of the bundle's view")
    choice = ModelChoice(bundle=str(arguments.bundle), runtime=arguments.runtime,
                         teachers=tuple(zip(arguments.teacher, arguments.projection, strict=True)))
    try:
        report = build_catalog(
            arguments.media_dir, choice=choice, engine=_engine(arguments), out=arguments.out, name=arguments.name,
            work=arguments.work,
            progress=lambda total: tqdm(total=total, desc="catalogue", unit="file", disable=None))
    except KeyboardInterrupt:
        print("stopped; what is understood is kept, run it again to go on", file=sys.stderr)
        raise
    if arguments.json:
        return report.document()
    for skipped in report.skipped:
        print(f"skipped: {_on_one_line(skipped.reason)}", file=sys.stderr)
    for merged in report.merged:
        print(f"merged: {_on_one_line(merged.file)} is the same recording as {_on_one_line(merged.same_as)}",
              file=sys.stderr)
    return {**report.document(), "skipped": None, "merged": None}


def _on_one_line(text: str) -> str:
    """Line ends and other characters of a file's name that would change the terminal, as escapes."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def _engine(arguments: argparse.Namespace) -> "OpenEngine":
    if arguments.workers is not None and arguments.workers < 1:
        raise UsageError(f"--workers {arguments.workers} must be at least 1")
    if arguments.engine == "ray":
        from export.catalog.on_ray import RayEngine

        return partial(RayEngine, address=arguments.ray_address, workers=arguments.workers)
    if arguments.ray_address:
        raise UsageError(f"--ray-address {arguments.ray_address} needs --engine ray")
    from export.catalog.local import LocalEngine

    return partial(LocalEngine, workers=arguments.workers)
