"""``roomtone-export evaluate``: how good is the device's recommender on these ratings, beside the usual ones?"""

import argparse
from pathlib import Path
from typing import Any

NAME = "evaluate"
HELP = "measure the device's own recommender on users held out of a ratings file"
EXAMPLE = "roomtone-export evaluate ratings.csv --seeds 3 --plot curve.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    columns = "columns user, item, rating, timestamp and, if you like, title, genre, artist, year"
    add = parser.add_argument
    add("ratings", type=Path, metavar="RATINGS.csv", help=columns)
    add("--protocol", choices=["temporal", "strict"], default="temporal",
        help="temporal: fold in the first 80 %% of a held-out user's history, foretell the rest; strict: fit on "
             "nothing that came after the held-out user's cut either")  # fmt: skip
    add("--seeds", type=int, default=3, metavar="N", help="so many splits are averaged")
    add("--method", choices=["auto", "ease", "als"], default="auto", help="how factors are made")
    add("--noise", type=float, default=0.0, metavar="SHARE", help="also with so many random events added, as 0.2")
    add("--new-items", type=float, default=0.0, metavar="SHARE",
        help="also with so many items hidden from training, as 0.2, recommended by their content alone")
    add("--replay", action="store_true", help="also off-policy, from simulated impressions with propensities (obp)")
    add("--plot", type=Path, metavar="FILE", help="measure NDCG against Gini and draw it: .html or .svg")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    from tqdm import tqdm

    from edge.errors import UsageError
    from export.collaborative.curve import write_curve
    from export.collaborative.evaluate import Protocol, evaluate
    from export.collaborative.ratings import read_ratings

    if not 1 <= arguments.seeds <= 100:
        raise UsageError(f"--seeds {arguments.seeds} must lie in 1 to 100")
    if not 0 <= arguments.noise <= 10:
        raise UsageError(f"--noise {arguments.noise:g} must lie in 0 to 10")
    if not 0 <= arguments.new_items <= 0.5:
        raise UsageError(f"--new-items {arguments.new_items:g} must lie in 0 to 0.5")
    if arguments.plot and arguments.plot.suffix not in (".html", ".svg"):
        raise UsageError(f"--plot {arguments.plot}: its name must end in .html or .svg")
    ratings = read_ratings(arguments.ratings)
    protocol = Protocol(seeds=arguments.seeds, method=arguments.method, strict=arguments.protocol == "strict",
                        noise=arguments.noise, curve=arguments.plot is not None,
                        new_items=arguments.new_items, replay=arguments.replay)  # fmt: skip
    total = None if protocol.strict else protocol.steps
    with tqdm(total=total, desc="fits and lists", unit="step", disable=None) as bar:
        document = evaluate(ratings, protocol, step=bar.update)
    if arguments.plot:
        write_curve(arguments.plot, document)
    return document


def text(document: dict[str, Any]) -> str:
    """The document as a table, for people."""
    keys = ("ndcg@10", "recall@20", "coverage", "gini", "median_ms")
    width = max(map(len, document["models"]))
    lines = [f"{document['users']} held-out users a seed, {document['seeds']} seeds, {document['items']} items, "
             f"protocol {document['protocol']}", "",
             " ".join([" " * width, *(f"{key:>10}" for key in keys)])]  # fmt: skip
    for name, figures in document["models"].items():
        lines.append(" ".join([f"{name:<{width}}", *(f"{figures[key]:10.4f}" for key in keys)]))
    for key in ("ndcg@10", "recall@20"):
        if key in document["against_ease"]:
            low, high = document["against_ease"][f"{key}_95%"]
            lines.append(f"{key}: {document['against_ease'][key]:.3f} times EASE's, 95 % {low:.3f} to {high:.3f}")
    if "noise" in document:
        noise = document["noise"]
        lines.append(f"{noise['share']:.0%} random events: ndcg@10 {noise['ndcg@10_change']:+.1%}")
    return "\n".join([*lines, *_new_items(document.get("new_items")), *_replay(document.get("replay"))])


def _new_items(part: dict[str, Any] | None) -> list[str]:
    if part is None:
        return []
    lines = ["", f"recall@20 among {part['items']} items hidden from training, {part['cases']} cases:"]
    for name, figures in part["models"].items():
        low, high = figures["recall@20_95%"]
        lines.append(f"  {name:<42} {figures['recall@20']:.4f}  95 % {low:.4f} to {high:.4f}")
    for name, figures in part["against"].items():
        low, high = figures["recall@20_95%"]
        lines.append(f"  {figures['recall@20']:.2f} times {name}, 95 % {low:.2f} to {high:.2f}")
    return lines


def _replay(part: dict[str, Any] | None) -> list[str]:
    if part is None:
        return []
    lines = ["", f"off-policy replay of {part['rounds']} impressions drawn by the untrained ranker, first seed: "
             "the share that was wanted", f"  {'':<10} {'true':>7} {'ips':>24} {'snips':>24} {'dr':>24}"]  # fmt: skip
    for name, figures in part["policies"].items():
        told = [f"{figures[key]:.4f} ({figures[f'{key}_95%'][0]:.4f}-{figures[f'{key}_95%'][1]:.4f})"
                for key in ("ips", "snips", "dr")]  # fmt: skip
        lines.append(" ".join([f"  {name:<10} {figures['true']:7.4f}", *(f"{one:>24}" for one in told)]))
    return lines
