"""A media folder to a snapshot: scan, understand, write. Begun again after a kill, it goes on where it was."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edge.bundle import Bundle, open_bundle
from edge.catalog.items import Item
from edge.errors import ExportError, MediaError, UsageError
from edge.manifest import FILE_NAME
from export.catalog.embed import Embedders, SoundModel, bundle_embedders
from export.catalog.scan import MediaFile, scan
from export.catalog.understand import Understood, understand
from export.catalog.work import WorkFolder, result_key
from export.catalog.writer import SnapshotWriter

ENGINES = ("local", "ray")
DEADLY_TIMES = 5
"""A file over which so many builds were killed, as by a decoder that crashes, is left out."""
MOST_SKIPPED_SHOWN = 1000
UNREADABLE = (MediaError, OSError, RuntimeError, ValueError, ArithmeticError, MemoryError)
"""Whatever a decoder or a tag reader raises over one file; the others go on."""

Progress = Callable[[Iterable[MediaFile], int], Iterable[MediaFile]]
"""Wraps the files (and how many there are), as tqdm does."""


@dataclass(frozen=True)
class Skipped:
    file: str
    reason: str


@dataclass
class BuildReport:
    out: str
    version: str = ""
    files: int = 0
    tracks: int = 0
    shots: int = 0
    reused: int = 0
    """Files whose result an earlier build had left."""
    unchanged: bool = False
    """Nothing had changed since the snapshot was built; nothing was done."""
    skipped: list[Skipped] = field(default_factory=list)
    """Files that gave nothing, and why: at most 1,000."""
    skipped_files: int = 0

    def document(self) -> dict[str, Any]:
        return asdict(self)


def build_catalog(
    media_dir: Path, *, bundle: Bundle | Path | str, out: Path, teacher: SoundModel | None = None,
    engine: str = "local", runtime: str | None = None, name: str | None = None, work: Path | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """Make a catalogue of everything under a folder.

    Parameters
    ----------
    bundle
        The device's bundle; the catalogue lies in its spaces.
    teacher
        Embeds the ``audio`` view instead of the bundle's student.
    engine
        What runs the work: ``local``.
    runtime
        ``litert`` or ``onnx``; by default the first that is installed.
    name
        The snapshot's name, by default the media folder's.
    work
        Where results are kept, by default ``OUT.work``. The same folder, bundle and teacher give the same snapshot,
        from there or anew.

    Raises RoomtoneErrors about the folder, the bundle or the snapshot; files that cannot be read are in the report.
    """
    if engine not in ENGINES:
        raise UsageError(f"engine {engine!r:.40} is not one of {', '.join(ENGINES)}")
    if engine == "ray":
        raise UsageError("engine ray is not part of this version; use --engine local")
    out = Path(out)
    embedders = bundle_embedders(bundle if isinstance(bundle, Bundle) else open_bundle(bundle), runtime=runtime,
                                 teacher=teacher)
    return build_from(lambda: scan(Path(media_dir)), embedders, out=out, name=name or Path(media_dir).resolve().name,
                      work=work, progress=progress)


def build_from(
    files: Callable[[], Iterable[MediaFile]], embedders: Embedders, *, out: Path, name: str, work: Path | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """The same for a list of files, which may say more about each than it says itself. ``files`` is called twice."""
    report = BuildReport(str(out))
    with WorkFolder(work or out.with_name(f"{out.name}.work")) as results:
        digest = hashlib.sha256(f"{name}\0{embedders.views}".encode())
        for file in files():
            digest.update(result_key(file, embedders.identity).encode())
            report.files += 1
        if results.state("built") == f"{digest.hexdigest()} {_sealed(out)}":
            return _as_before(results.state("report") or "{}", report)
        shown = progress(files(), report.files) if progress else files()
        try:
            _write(_items(shown, embedders, results, report), embedders, out, name, report)
        except OSError as error:
            raise ExportError(f"{out}: cannot be written: {error.strerror or error}; nothing is lost, run it "
                              "again when there is space") from error
        results.remember("report", json.dumps(report.document()))
        results.remember("built", f"{digest.hexdigest()} {_sealed(out)}")
        results.forget_unused()
    return report


def _write(items: Iterable[Understood], embedders: Embedders, out: Path, name: str, report: BuildReport) -> None:
    with SnapshotWriter(out, embedders.views, name=name) as writer:
        for item in items:
            writer.add(Item(row=0, **item.fields), item.vectors)
            report.tracks += item.fields["kind"] == "track"
            report.shots += item.fields["kind"] == "shot"
        if not writer.count:
            why = f"; the first: {report.skipped[0].reason}" if report.skipped else ""
            raise ExportError(f"none of {report.files} media files gave anything for a catalogue{why}")
        report.version = writer.finish()


def _items(
    files: Iterable[MediaFile], embedders: Embedders, results: WorkFolder, report: BuildReport
) -> Iterator[Understood]:
    """Every item in the order of the files, from an earlier build where it has been done."""
    for file in files:
        key = result_key(file, embedders.identity)
        items = results.result(key)
        report.reused += items is not None
        try:
            yield from _understood(file, key, embedders, results) if items is None else items
        except UNREADABLE as error:
            said = str(error) if isinstance(error, MediaError) else f"{file.path}: cannot be read: {error!s:.120}"
            report.skipped_files += 1
            report.skipped += [Skipped(file.name, said)] if len(report.skipped) < MOST_SKIPPED_SHOWN else []


def _understood(file: MediaFile, key: str, embedders: Embedders, results: WorkFolder) -> list[Understood]:
    """The items of a file, kept for the next build. A file that gives none is tried again then."""
    if results.begin(key) >= DEADLY_TIMES:
        raise MediaError(f"{file.path}: {DEADLY_TIMES} builds died over it; convert it, or take it out of the folder")
    try:
        items = understand(file, embedders)
    finally:
        results.end(key)
    results.keep(key, items)
    return items


def _as_before(kept: str, report: BuildReport) -> BuildReport:
    """The report of the build that made the snapshot, for one that did nothing."""
    before = json.loads(kept)
    skipped = [Skipped(**each) for each in before.pop("skipped", [])]
    return BuildReport(**{**before, "out": report.out, "reused": report.files, "unchanged": True, "skipped": skipped})


def _sealed(out: Path) -> str:
    """What an existing snapshot's manifest is, empty when there is none."""
    manifest = out / FILE_NAME
    return hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else ""
