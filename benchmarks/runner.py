"""Finds the scripts, runs them one after another, prints their tables and writes their reports."""

import argparse
import ast
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine
from benchmarks.report import Report
from edge import firmware
from edge.errors import RoomtoneError

FOLDER = Path(__file__).resolve().parent


def main(argv: Sequence[str]) -> int:
    """Exit code 0 when every script gave its figures, 1 when one could not, 2 for a wrong argument."""
    args = _arguments(argv)
    try:
        profile = firmware.load(args.profile)
    except RoomtoneError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return error.exit_code
    reports, failed = [], False
    for name in args.names or list(scripts()):
        print(f"{name}: {scripts()[name]}", file=sys.stderr, flush=True)
        try:
            rows = importlib.import_module(f"benchmarks.{name}").run(profile, args.peers)
        except RoomtoneError as error:
            print(f"benchmarks: {name}: {error}", file=sys.stderr)
            failed = True
            continue
        reports.append(Report(name, scripts()[name], machine.describe(profile), rows))
        if args.out:
            reports[-1].write(args.out)
        if not args.json:
            print(reports[-1].markdown(), flush=True)
    if args.json:
        print(json.dumps([report.document() for report in reports], indent=1, ensure_ascii=False))
    return 1 if failed else 0


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
        epilog="\n".join(["questions:", *(f"  {name:<12} {question}" for name, question in known.items()),
                          "", "example: python -m benchmarks inference memory --profile rpi-4-tv --out results"]),
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which questions (default: all)")
    parser.add_argument("--profile", default="workstation", help="firmware profile, by name or TOML file")
    parser.add_argument("--peers", action="store_true", help="measure other libraries beside it, where installed")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write NAME.json and NAME.md there")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    args = parser.parse_args(argv)
    for name in args.names:
        if name not in known:
            parser.error(f"no benchmark {name!r}; there are {', '.join(known)}")
    return args
