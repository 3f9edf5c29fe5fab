"""Finds the scripts, runs them one after another, prints their tables and writes their reports."""

import argparse
import ast
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine, page, plots, promises
from benchmarks.report import Report, Row
from edge import firmware
from edge.errors import RoomtoneError, RuntimeMissingError

FOLDER = Path(__file__).resolve().parent
DEFAULT_PROFILE = "workstation"
SUSTAINED_S = 60.0


def main(argv: Sequence[str]) -> int:
    """Exit code 0 when every script gave its figures and every promise that was asked about is kept.

    1 when a script failed or a promise is broken, 2 for a wrong argument. Of a whole run, a script whose libraries are
    not installed is left out, which is said and is no failure: a device has no exporter.
    """
    args = _arguments(argv)
    try:
        profile = firmware.load(args.profile or DEFAULT_PROFILE)
    except RoomtoneError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return error.exit_code
    reports, failed = [], False
    for name in args.names or list(scripts()):
        print(f"{name}: {scripts()[name]}", file=sys.stderr, flush=True)
        try:
            rows = _rows(name, profile, args)
        except (ImportError, RuntimeMissingError) as error:
            print(f"benchmarks: {name}: left out, {_needed(error)}", file=sys.stderr)
            failed |= name in args.names
            continue
        except RoomtoneError as error:
            print(f"benchmarks: {name}: {error}", file=sys.stderr)
            failed = True
            continue
        reports.append(Report(name, scripts()[name], machine.describe(profile), rows))
        _show(reports[-1], args)
    breaks = _hold_to_promises(profile, reports, args) if args.profile and profile.promises else []
    for sentence in breaks:
        print(f"benchmarks: {profile.name} breaks a promise: {sentence}", file=sys.stderr)
    if args.json:
        print(json.dumps([report.document() for report in reports], indent=1, ensure_ascii=False))
    if args.out:
        print(f"benchmarks: {page.write(args.out)}", file=sys.stderr)
    return 1 if failed or breaks else 0


def _rows(name: str, profile: firmware.FirmwareProfile, args: argparse.Namespace) -> list[Row]:
    run = importlib.import_module(f"benchmarks.{name}").run
    return run(profile, args.peers, args.seconds) if name == "sustained" else run(profile, args.peers)


def _needed(error: Exception) -> str:
    return f"needs {error.name}: pip install 'roomtone[export]'" if isinstance(error, ImportError) else str(error)


def _show(report: Report, args: argparse.Namespace) -> None:
    if args.out:
        report.write(args.out)
        plots.write(report, args.out)
    if not args.json:
        print(report.markdown(), flush=True)


def _hold_to_promises(profile: firmware.FirmwareProfile, reports: list[Report],
                      args: argparse.Namespace) -> list[str]:
    assert profile.promises is not None
    rows = promises.compare(profile.promises, reports)
    reports.append(Report("promises", f"Does this machine keep what {profile.name} promises?",
                          machine.describe(profile), rows))
    _show(reports[-1], args)
    return promises.broken(rows)


def scripts() -> dict[str, str]:
    """Name to question of every module of this package that has a ``run``; none is imported for it."""
    found = {}
    for path in sorted(FOLDER.glob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "run" for node in module.body):
            found[path.stem] = (ast.get_docstring(module) or path.stem).splitlines()[0]
    return found


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    known = scripts()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure Roomtone on this machine, one question a script.",
        epilog="\n".join(["questions:", *(f"  {name:<14} {question}" for name, question in known.items()), "",
                          "python -m benchmarks peers     which libraries --peers measures, and how to install them",
                          "python -m benchmarks page DIR  one HTML page of the NAME.json in DIR, with plots", "",
                          "example: python -m benchmarks inference memory --profile rpi-4-tv --out results"]),
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which questions (default: all)")
    parser.add_argument("--profile", help="firmware profile, by name or TOML file; its promises are compared with "
                        f"what is measured, and exit code 1 says that one is broken (default: {DEFAULT_PROFILE}, "
                        "not compared)")
    parser.add_argument("--peers", action="store_true", help="measure other libraries beside it, where installed")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write NAME.json, NAME.md and index.html there")
    parser.add_argument("--seconds", type=float, default=SUSTAINED_S, metavar="N",
                        help=f"how long sustained works (default {SUSTAINED_S:g})")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    args = parser.parse_args(argv)
    for name in args.names:
        if name not in known:
            parser.error(f"no benchmark {name!r}; there are {', '.join(known)}")
    if args.seconds <= 0:
        parser.error(f"--seconds {args.seconds:g} must be above 0")
    return args
