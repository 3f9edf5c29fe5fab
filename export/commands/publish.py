"""``roomtone-export publish``: the signed repository that devices update from."""

import argparse
from pathlib import Path
from typing import Any

from edge.errors import UsageError

NAME = "publish"
HELP = "publish a bundle and a catalogue as signed static files that devices update from, or renew what is published"
EXAMPLE = """roomtone-export keygen keys/root; roomtone-export keygen keys/release       # once
  roomtone-export publish site --bundle my-bundle --catalog my-catalog --key keys/release --root-key keys/root
  roomtone-export publish site --bundle my-bundle --catalog my-catalog --key keys/release   # the next release
  roomtone-export publish site --timestamp-key keys/release                                 # renew, every few days
  roomtone-export publish site --key keys/new --root-key keys/root                          # replace a key"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("repository", type=Path, metavar="DIR", help="the folder to serve by http or to copy; made, or extended")
    add("--bundle", type=Path, metavar="BUNDLE", help="signed by a key that the devices trust (roomtone-export sign)")
    add("--catalog", type=Path, metavar="SNAPSHOT", help="built with this bundle")
    add("--version", help="the release's version (default: the bundle's and the catalogue's)")
    add("--key", type=Path, metavar="FILE", help="signs releases; made by roomtone-export keygen")
    add("--timestamp-key", type=Path, metavar="FILE", help="signs the timestamp alone, on a server (default: --key)")
    add("--root-key", type=Path, action="append", default=[], metavar="FILE",
        help="signs which keys count: to begin, and to replace keys; else kept offline; repeatable")
    add("--old-root-key", type=Path, action="append", default=[], metavar="FILE", help="where root keys are replaced")
    add("--root-threshold", type=int, default=1, metavar="N", help="how many root keys must sign (default 1)")
    add("--days", type=int, default=30, help="devices update for so long without a renewal (default 30)")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    if (arguments.bundle is None) != (arguments.catalog is None):
        raise UsageError("--bundle and --catalog are published together, since they belong together")
    if not 1 <= arguments.days <= 3650:
        raise UsageError(f"--days {arguments.days} must lie in 1 to 3650")
    from export.publish.keys import load_keys

    keys = load_keys(arguments.root_key, arguments.old_root_key, arguments.key, arguments.timestamp_key)
    from export.publish.content import collect
    from export.publish.publish import publish

    content = None
    if arguments.bundle is not None:
        content = collect(arguments.bundle, arguments.catalog, arguments.version)
    return vars(publish(arguments.repository, content, keys, days=arguments.days,
                        root_threshold=arguments.root_threshold))
