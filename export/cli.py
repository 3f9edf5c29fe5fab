"""The workstation's door: ``roomtone-export``."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from edge.errors import RoomtoneError
from export import commands

DESCRIPTION = "Turn PyTorch models, media and ratings into what a Roomtone device runs."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0, 1 (failed: one sentence on stderr) or 2 (usage)."""
    parser = _parser()
    try:
        parsed = parser.parse_args(arguments)
    except SystemExit as stop:  # argparse has printed its help, or what is wrong
        return int(stop.code or 0)
    try:
        document = parsed.run(parsed)
    except RoomtoneError as error:
        print(f"roomtone-export: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    if parsed.text and not parsed.json:
        print(parsed.text(document))
    else:
        _show(document, as_json=parsed.json)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="roomtone-export", description=DESCRIPTION)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in commands.ALL:
        sub = subparsers.add_parser(
            command.NAME, help=command.HELP, description=command.HELP, epilog=f"example:\n  {command.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter)
        command.add_arguments(sub)
        sub.add_argument("--json", action="store_true", help="one JSON document on stdout")
        sub.set_defaults(run=command.run, text=getattr(command, "text", None))
    return parser


def _show(document: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(document, indent=1, ensure_ascii=False))
        return
    for line in _lines(document):
        print(line)


def _lines(document: dict[str, Any], indent: str = "") -> list[str]:
    """A document as indented ``key: value`` lines; tables are for --json and --report."""
    lines = []
    for key, value in document.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}:", *_lines(value, indent + "  ")]
        elif value not in (None, [], ()) and not (isinstance(value, list) and isinstance(value[0], dict)):
            lines.append(f"{indent}{key}: {value}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
