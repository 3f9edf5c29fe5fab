"""A media folder to a snapshot: scan, understand, find copies, write. Begun again after a kill, it goes on.

Every stage goes through the files in one order and keeps what it found on the disk, so memory does not grow with
the folder, and the order in which workers come to an end leaves no trace in the snapshot.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from edge.catalog.items import Item
from edge.errors import ExportError
from edge.manifest import FILE_NAME
from export.catalog.choice import ModelChoice
from export.catalog.facts import with_more_said
from export.catalog.packed import Understood
from export.catalog.report import BuildReport
from export.catalog.scan import scan
from export.catalog.shelf import Engine, Files, Shelf
from export.catalog.work import WorkFolder
from export.catalog.writer import SnapshotWriter, ViewSpec

Progress = Callable[[int], AbstractContextManager[Any]]
"""Makes a bar for so many files, whose ``update`` is called for each, as tqdm does."""
OpenEngine = Callable[[ModelChoice, str], Engine]
"""Takes the models and the identity that they must have wherever they run."""


def build_catalog(
    media_dir: Path, *, choice: ModelChoice, engine: OpenEngine, out: Path, name: str | None = None,
    work: Path | None = None, progress: Progress | None = None,
) -> BuildReport:
    """Make a catalogue of everything under a folder.

    Parameters
    ----------
    choice
        The models that it is embedded with.
    engine
        What runs them: ``LocalEngine`` or ``RayEngine``.
    name
        The snapshot's name, by default the media folder's.
    work
        Where results are kept, by default ``OUT.work``. The same folder and models give the same snapshot, from
        there or anew, with any engine.

    Raises RoomtoneErrors about the folder, the models or the snapshot; files that cannot be read are in the report.
    """
    media_dir = Path(media_dir)
    return build_from(lambda on_trouble: scan(media_dir, on_trouble), choice=choice, engine=engine, out=out,
                      name=name or media_dir.resolve().name, work=work, progress=progress)


def build_from(
    files: Files, *, choice: ModelChoice, engine: OpenEngine, out: Path, name: str, work: Path | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """The same for a list of files, which may say more about each than it says itself. It is asked several times."""
    out, embedders = Path(out), choice.open()
    report = BuildReport(str(out))
    with WorkFolder(work or out.with_name(f"{out.name}.work")) as results:
        shelf = Shelf(files, embedders.identity, results)
        report.files, digest = shelf.content(f"{name}\0{embedders.views}")
        if results.state("built") == f"{digest} {_sealed(out)}":
            return report.as_before(results.state("report") or "{}")
        with engine(choice, embedders.identity) as running, _bar(progress, report.files) as bar:
            report.reused = shelf.fill(running, bar.update if bar else lambda: None)
        _write(shelf, embedders.views, out, name, report)
        results.remember("report", report.kept())
        results.remember("built", f"{digest} {_sealed(out)}")
        results.forget_unused()
    return report


def _bar(progress: Progress | None, files: int) -> AbstractContextManager[Any]:
    return progress(files) if progress else nullcontext()


def _write(shelf: Shelf, views: Mapping[str, ViewSpec], out: Path, name: str, report: BuildReport) -> None:
    try:
        with SnapshotWriter(out, views, name=name) as writer:
            for item in _items(shelf, report):
                writer.add(Item(row=0, **item.fields), item.vectors)
                report.tracks += item.fields["kind"] == "track"
                report.shots += item.fields["kind"] == "shot"
            if not writer.count:
                why = f"; the first: {report.skipped[0].reason}" if report.skipped else ""
                raise ExportError(f"none of {report.files} media files gave anything for a catalogue{why}")
            report.version = writer.finish()
    except OSError as error:
        raise ExportError(f"{out}: cannot be written: {error.strerror or error}; nothing is lost, run it again when "
                          "there is space") from error


def _items(shelf: Shelf, report: BuildReport) -> Iterator[Understood]:
    """Every item in the order of the files. What copies say and the first does not is said of the first."""
    copies, names = shelf.copies(), dict[str, str]()
    copies_of: dict[str, list[str]] = defaultdict(list)
    for copy, first in copies.items():
        copies_of[first].append(copy)
    for key, file in shelf.files(report.skip):
        if key in copies:
            report.merge(file.name, names[copies[key]])
            continue
        items = shelf.items(key)
        if not items:
            report.skip(file.name, shelf.why_not(key, file))
        if key in copies_of:
            names[key] = file.name
            items = [with_more_said(items[0], [shelf.items(copy)[0] for copy in copies_of[key]])]
        yield from items


def _sealed(out: Path) -> str:
    """What an existing snapshot's manifest is, empty when there is none."""
    manifest = out / FILE_NAME
    return hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else ""
