"""``roomtone-export replay``: would another ranker have served this household better?"""

import argparse
from pathlib import Path
from typing import Any

NAME = "replay"
HELP = "estimate from a device's own log, off-policy, what another ranker would have earned"
EXAMPLE = "roomtone history export history.jsonl && roomtone-export replay history.jsonl --catalog catalog"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("history", type=Path, metavar="HISTORY.jsonl", help="from `roomtone history export`")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--catalog", type=Path, metavar="SNAPSHOT", help="measure the ranker of this catalogue")
    which.add_argument("--ranker", type=Path, metavar="FILE", help="measure this ranker.json")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    from edge.catalog.snapshot import open_snapshot
    from edge.recommend.ranker import load, of_snapshot
    from export.collaborative.household import read_rounds, replay_household

    rounds = read_rounds(arguments.history)
    if arguments.ranker:
        return replay_household(rounds, load(arguments.ranker))
    with open_snapshot(arguments.catalog) as snapshot:
        return replay_household(rounds, of_snapshot(snapshot))


def text(document: dict[str, Any]) -> str:
    """The document as a table, for people."""
    left_out = document["left_out"]
    lines = [f"{document['rounds']} impressions drawn by chance, {document['users']} users, {document['rewards']} of "
             f"them wanted within a day; left out: {left_out['pending']} of the last day, "
             f"{left_out['other_features']} with another version's features",
             f"{'':<10} {'ips':>24} {'snips':>24} {'dr':>24}"]  # fmt: skip
    for name, figures in document["policies"].items():
        told = [f"{figures[key]:.4f} ({figures[f'{key}_95%'][0]:.4f}-{figures[f'{key}_95%'][1]:.4f})"
                for key in ("ips", "snips", "dr")]  # fmt: skip
        lines.append(" ".join([f"{name:<10}", *(f"{one:>24}" for one in told)]))
    return "\n".join(lines)
