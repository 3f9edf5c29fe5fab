"""Feed every parser of outside bytes a million altered inputs: does anything but a RoomtoneError escape?

    python -m tests.faults.fuzz --inputs 1000000
    python -m tests.faults.fuzz --only manifest,api --inputs 20000 --seed 7

Inputs are valid ones of the real writers, altered (mutation.py), shared out among the parsers (parsing/) by their
shares. Each parser runs in a process of its own, so that one that dies is seen, too; so is an input that takes longer
than LONGEST_S or more than MOST_MEMORY. The same seed gives the same inputs. Exits 1 at any failure; the inputs that
failed are kept in --keep. Needs what pyproject.toml's ``test`` names.
"""

import argparse
import json
import logging
import multiprocessing
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tqdm import tqdm

from edge.errors import RoomtoneError
from tests.faults.mutation import altered
from tests.faults.parsing import PARSERS, Parser

LONGEST_S = 10
SILENT_S, PREPARING_S = 60, 900
"""After so long without a next input, in code that no signal interrupts, or without a first one, the process is ended.
"""
MOST_MEMORY = 8 << 30
MOST_KEPT = 20
context = multiprocessing.get_context("fork")


@dataclass
class Result:
    parser: str
    inputs: int = 0
    accepted: int = 0
    """Inputs that were found valid, altered as they were."""
    failures: int = 0
    seconds: float = 0.0
    kinds: dict[str, int] = field(default_factory=dict)
    """What escaped, and from where: how often."""


class TooSlow(BaseException):
    """No handler of Exception hides it."""


def one(parse: Callable[[str, bytes], object], key: str, content: bytes) -> tuple[bool, str | None]:
    """Whether the input was accepted, and what escaped, if anything did."""
    signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
    try:
        parse(key, content)
        return True, None
    except RoomtoneError:
        return False, None
    except BaseException as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return False, f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {error!s:.120}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def nth(seeds: Sequence[tuple[str, bytes]], name: str, seed: int, number: int) -> tuple[str, bytes]:
    chance = random.Random(f"{seed} {name} {number}")
    key, content = chance.choice(seeds)
    return key, altered(content, chance)


def _work(parser: Parser, numbers: range, seed: int, folder: Path, at, accepted, sender) -> None:
    def too_slow(*_):
        raise TooSlow(f"longer than {LONGEST_S} s")

    signal.signal(signal.SIGALRM, too_slow)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    with parser.opened(folder) as (seeds, parse):
        for key, content in seeds if numbers.start == 0 else ():  # what is not valid at first proves nothing
            valid, failure = one(parse, key, content)
            assert valid, f"{parser.name}: its own seed {key!r} is refused: {failure}"
        _be_quiet()
        for number in numbers:
            at.value = number
            key, content = nth(seeds, parser.name, seed, number)
            valid, failure = one(parse, key, content)
            accepted.value += valid
            if failure:
                sender.send((failure, number, key, content))
    at.value = numbers.stop


def _be_quiet() -> None:
    """What is said about a million bad inputs, here and in native code, helps nobody."""
    logging.getLogger().addHandler(logging.NullHandler())
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def run(parser: Parser, inputs: int, *, seed: int = 1, keep: Path | None = None,
        on_inputs: Callable[[int], object] = lambda count: None) -> Result:
    """Raises RuntimeError when the parser's own valid inputs are refused."""
    result, began_s, start = Result(parser.name), time.monotonic(), 0
    while start < inputs:
        start = _until_it_dies(parser, range(start, inputs), seed, keep, on_inputs, result)
    result.inputs, result.seconds = inputs, round(time.monotonic() - began_s, 1)
    return result


def _until_it_dies(parser, numbers, seed, keep, on_inputs, result) -> int:
    """The number to go on with."""
    at, accepted = (context.Value("q", number, lock=False) for number in (-1, 0))
    receiver, sender = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        process = context.Process(target=_work, args=(parser, numbers, seed, Path(name), at, accepted, sender))
        process.start()
        sender.close()
        for failure, *given in _failures(process, receiver, at, numbers.start, on_inputs):
            _note(result, parser, keep, failure, *given)
    result.accepted += accepted.value
    if at.value < 0:
        raise RuntimeError(f"{parser.name}: cannot be prepared (see above)")
    if at.value < numbers.stop:
        _note(result, parser, keep, f"the process ended ({process.exitcode})", at.value,
              *nth_of(parser, seed, at.value))
    return at.value + 1


def _failures(process, receiver, at, seen, on_inputs):
    """What the process tells, until it has ended; one that is silent is ended."""
    moved_s, preparing = time.monotonic(), True
    while True:
        try:
            if receiver.poll(0.2):
                yield receiver.recv()
        except EOFError:
            break
        if at.value > seen or (preparing and at.value >= 0):
            on_inputs(max(0, at.value - seen))
            seen, moved_s, preparing = max(seen, at.value), time.monotonic(), False
        elif time.monotonic() - moved_s > (PREPARING_S if preparing else SILENT_S):
            process.kill()
    process.join()


def nth_of(parser: Parser, seed: int, number: int) -> tuple[str, bytes]:
    with tempfile.TemporaryDirectory() as name, parser.opened(Path(name)) as (seeds, _):
        return nth(seeds, parser.name, seed, number)


def _note(result: Result, parser: Parser, keep: Path | None, failure: str, number: int, key: str, content: bytes):
    result.failures += 1
    result.kinds[failure] = result.kinds.get(failure, 0) + 1
    if keep is not None and result.failures <= MOST_KEPT:
        keep.mkdir(parents=True, exist_ok=True)
        (keep / f"{parser.name}-{number}").write_bytes(content)
        (keep / f"{parser.name}-{number}.txt").write_text(f"{key}\n{failure}\n")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--inputs", type=int, default=1_000_000, help="in all (default 1,000,000)")
    arguments.add_argument("--only", help=f"parsers, by commas, of {', '.join(parser.name for parser in PARSERS)}")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="for inputs that failed (build/fuzz)")
    arguments.add_argument("--json", action="store_true")
    args = arguments.parse_args()
    chosen = [parser for parser in PARSERS if not args.only or parser.name in args.only.split(",")]
    shares = sum(parser.share for parser in chosen)
    results = []
    with tqdm(total=args.inputs, unit=" inputs", disable=not sys.stderr.isatty()) as bar:
        for parser in chosen:
            bar.set_description(parser.name)
            count = max(1, round(args.inputs * parser.share / shares))
            results.append(run(parser, count, seed=args.seed, keep=args.keep, on_inputs=bar.update))
            if not args.json:
                bar.write(_line(results[-1]))
                sys.stdout.flush()
    failures = sum(result.failures for result in results)
    if args.json:
        print(json.dumps([asdict(result) for result in results]))
    else:
        print(f"{sum(result.inputs for result in results)} inputs, {failures} failures")
    return 1 if failures else 0


def _line(result: Result) -> str:
    told = "".join(f"\n    {count} x {kind}" for kind, count in result.kinds.items())
    return (f"{result.parser:14s} {result.inputs:8d} inputs {result.accepted:8d} accepted {result.failures:6d} "
            f"failures {result.seconds:8.1f} s{told}")


if __name__ == "__main__":
    sys.exit(main())
