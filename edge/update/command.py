"""``roomtone update``: the only thing that Roomtone ever does on a network, and only when it is run."""

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from edge.errors import RuntimeMissingError

ROOT = Path("/etc/roomtone/root.json")
LOCK_NAME = "update.lock"
NEW = 3
"""The exit code that ``--exit-code`` asks for."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--url", required=True, help="the repository that `roomtone-export publish` made: https://, http:// or file://")
    add("--root", type=Path, default=ROOT, metavar="FILE",
        help=f"the trusted root.json of the repository's makers (default: {ROOT})")
    add("--exit-code", action="store_true", help=f"exit with {NEW} instead of 0 when a new release was installed")
    add("--again", action="store_true", help="try a release again that was taken back on this device")


def update(args: argparse.Namespace) -> int:
    """Exit code 0 when the newest release is in use or on trial, 1 when it is not; the device works either way."""
    from edge.commands import print_json
    from edge.firmware import load
    from edge.trust import device_trust
    from edge.update import pointer
    from edge.update.trial import UPDATES

    try:
        from edge.update import install, repository
    except ImportError as error:
        raise RuntimeMissingError(f"updates need python-tuf ({error}); pip install 'roomtone[update]'") from error
    os.umask(0o077)
    updates = args.state / UPDATES
    device = install.Device(args.state, device_trust(args.keys, unsigned_allowed=args.allow_unsigned),
                            load(args.profile), args.engine)
    source = repository.Repository(args.url, root=args.root, folder=updates / repository.METADATA)
    with pointer.locked(updates, LOCK_NAME, wait=False), _telling() as say:
        done = install.update(device, source, again=args.again, say=say)
    if args.json:
        print_json(install.summary(done))
    elif done.new:
        print(f"{done.release} is installed ({done.fetched_bytes} bytes fetched, {done.kept_bytes} were here); restart "
              "the daemon to try it")
    else:
        print(f"{done.release} is the newest release and in use")
    return NEW if done.new and args.exit_code else 0


@contextlib.contextmanager
def _telling() -> Iterator[Callable[[str, int, int], None]]:
    from edge.commands import Ticker

    with Ticker(enabled=sys.stderr.isatty()) as ticker:
        yield lambda name, done, total: ticker.tell(f"{done / max(total, 1):4.0%}  {name}")
