"""The ``roomtone`` command: arguments in, exit code out (0 done, 1 failed, 2 usage)."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from edge import __version__
from edge.errors import RoomtoneError
from edge.machine import require_64_bit
from edge.recommend.event import EVENTS
from edge.trust import KEYS_DIR

THREAD_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the console script."""
    for pool in THREAD_POOLS:  # before numpy is imported: on few cores a BLAS with many threads is slower
        os.environ.setdefault(pool, "1")
    try:
        require_64_bit()
        args = _parser().parse_args(argv)
        return args.run(args)
    except RoomtoneError as error:
        print(f"roomtone: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(name: str):
    """The command's function, imported when it is used: `--help` needs no numpy."""

    def run(args: argparse.Namespace) -> int:
        if name == "update":
            from edge.update.command import update

            return update(args)
        from edge import commands

        if name != "daemon" and {"bundle", "catalog"} & vars(args).keys():
            commands.settle(args)
        if name == "doctor":
            from edge.doctor import doctor

            return doctor(args)
        if name == "history":
            from edge.history_command import history

            return history(args)
        return getattr(commands, name)(args)

    return run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="roomtone", description="Hear, see and recommend, on this device alone.",
        epilog="example: roomtone recommend song.ogg", formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="version", version=f"roomtone {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_recommend, _daemon, _embed, _search, _feedback, _history, _forget, _doctor, _update):
        add(commands)
    return parser


def _command(commands, name: str, text: str, example: str, *options) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text, epilog=f"example: {example}")
    command.set_defaults(run=_run(name))
    command.add_argument("--json", action="store_true", help="print one JSON document, or one line per event")
    for option in options:
        option(command)
    return command


def _models(command: argparse.ArgumentParser) -> None:
    command.add_argument("--bundle", type=Path, help="model bundle (default: the updated one of --state, else ours)")
    _device(command)


def _device(command: argparse.ArgumentParser) -> None:
    command.add_argument("--keys", type=Path, default=KEYS_DIR, metavar="DIR",
                         help=f"keys of which one must have signed a bundle that is not ours (default: {KEYS_DIR})")
    command.add_argument("--allow-unsigned", action="store_true", help="for development: open an unsigned bundle")
    command.add_argument("--engine", choices=("litert", "onnx"), help="runtime in place of the profile's")
    command.add_argument("--profile", default="workstation", help="firmware profile, by name or TOML file")


def _catalog(command: argparse.ArgumentParser) -> None:
    command.add_argument("--catalog", type=Path, help="snapshot (default: the updated one of --state, else ours)")


def _state(command: argparse.ArgumentParser) -> None:
    home = _state_home()
    command.add_argument("--state", type=Path, default=home, required=home is None,
                         help="folder of the history" + ("" if home is None else f" (default: {home})"))


def _state_home() -> Path | None:
    """None for a user without a home, as a system's may be."""
    try:
        return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "roomtone"
    except RuntimeError:
        return None


def _user(command: argparse.ArgumentParser) -> None:
    command.add_argument("--user", default="household", help="whose taste (default: household)")


def _k(command: argparse.ArgumentParser) -> None:
    command.add_argument("-k", type=_count, default=10, help="how many (default: 10)")


def _filters(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("what stays out of the list")
    group.add_argument("--children", action="store_true", help="what is marked as not for children")
    group.add_argument("--block-artist", action="append", default=[], metavar="NAME", help="an artist; may be repeated")
    group.add_argument("--unavailable", action="append", default=[], metavar="ITEM",
                       help="an item that cannot be played now; may be repeated")
    group.add_argument("--no-repeats", dest="repeats", action="store_false", help="what the user has played before")


def _recommend(commands) -> None:
    command = _command(commands, "recommend", "say what plays in files and what to play next",
                       "roomtone recommend song.ogg film.mp4 -k 5 --children --block-artist 'The Bells'",
                       _models, _catalog, _state, _user, _k, _filters)
    command.add_argument("files", nargs="+", type=Path, metavar="FILE", help="sound file or film")


def _daemon(commands) -> None:
    command = _command(commands, "daemon", "listen and watch, serve the page and the API",
                       "roomtone daemon --audio mic --video v4l2:/dev/video0 --profile rpi-4-tv",
                       _models, _catalog, _state)
    command.add_argument("--audio", default="mic", help="mic, mic:NAME, file:PATH or none (default: mic)")
    command.add_argument("--video", default="none", help="v4l2:DEVICE, file:PATH, a URL or none (default: none)")
    command.add_argument("--listen", default="127.0.0.1:8765", help="HOST:PORT or unix:PATH (default: 127.0.0.1:8765)")
    command.add_argument("--token-file", type=Path, help="file with the secret that clients must show")
    command.add_argument("--fast", action="store_true", help="take files in as fast as they can be read")


def _embed(commands) -> None:
    command = _command(commands, "embed", "print the embeddings of a file, with their times",
                       "roomtone embed song.ogg --json", _models, _state)
    command.add_argument("file", type=Path, metavar="FILE")
    command.add_argument("--modality", choices=("audio", "video"), help="default: sound, else pictures")
    command.add_argument("--view", help="audio, recording or video (default: the modality)")


def _search(commands) -> None:
    command = _command(commands, "search", "find items by words, or items like one",
                       "roomtone search morning coffee", _catalog, _state, _k)
    command.add_argument("words", nargs="*", metavar="WORDS")
    command.add_argument("--like", metavar="ITEM", help="items near this one")


def _feedback(commands) -> None:
    command = _command(commands, "feedback", "keep what a user did with an item; durable when it returns",
                       "roomtone feedback track:wesnoth/elvish-theme like", _catalog, _state, _user)
    command.add_argument("item", metavar="ITEM")
    command.add_argument("event", choices=EVENTS, metavar="EVENT", help=", ".join(EVENTS))
    command.add_argument("--id", help="makes a repeated command harmless (default: a new one)")
    command.add_argument("--value", type=float, help="seconds, for dwell")
    command.add_argument("--time-s", type=float, help="when, in seconds since 1970 (default: now)")


def _history(commands) -> None:
    command = _command(commands, "history", "print, save or take in the kept events, one JSON object a line",
                       "roomtone history export backup.jsonl; roomtone history import backup.jsonl", _state)
    command.add_argument("action", nargs="?", choices=("export", "import"), default="export",
                         help="import keeps what is not there yet and lists the lines that are no events")
    command.add_argument("file", nargs="?", type=Path, metavar="FILE", help="default, and -: the terminal or the pipe")
    command.add_argument("--user", help="export only this user's")


def _forget(commands) -> None:
    _command(commands, "forget", "erase every event of a user", "roomtone forget --user ann", _state, _user)


def _doctor(commands) -> None:
    _command(commands, "doctor", "check whether this device has what it needs",
             "roomtone doctor --profile rpi-4-tv", _models, _catalog, _state)


def _update(commands) -> None:
    from edge.update.command import add_arguments

    command = _command(commands, "update", "fetch, verify, test and install the newest bundle and catalogue",
                       "roomtone update --url https://updates.example.org --profile rpi-4-tv", _device, _state)
    add_arguments(command)


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from 1 to 1000")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
