"""What each ``roomtone`` command does; edge/cli.py reads the arguments. Results go to stdout, all else to stderr."""

import argparse
import json
import sys
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from edge.bundle import Bundle, open_bundle
from edge.catalog.similar import similar
from edge.catalog.snapshot import Snapshot, open_snapshot
from edge.context import Context, ContextBuilder, Embedding
from edge.errors import RoomtoneError, UsageError
from edge.firmware import FirmwareProfile
from edge.firmware import load as load_profile
from edge.recommend.filters import Filters
from edge.recommend.history import Event, History
from edge.recommend.recommender import Recommendation, Recommender
from edge.trust import Trust, device_trust

HISTORY_FILE = "history.db"


def recommend(args: argparse.Namespace) -> int:
    profile, bundle = load_profile(args.profile), open_trusted(args)
    builder = ContextBuilder(seconds=profile.context.seconds)
    with ExitStack() as stack:
        snapshot = stack.enter_context(open_snapshot(args.catalog, spaces=bundle.spaces()))
        history = stack.enter_context(open_history(args.state))
        _perceive_all(args, bundle, profile, builder)
        recommender = Recommender(snapshot, history, candidates=profile.catalog.candidates)
        context = builder.context()
        playing = recommender.now_playing(context)
        filters = _filters(args)
        found = recommender.recommend(context, user=args.user, k=args.k, filters=filters)
        for name in recommender.unknown(filters):
            print(f"roomtone: warning: {name!r} is not in the catalogue and keeps nothing out", file=sys.stderr)
    if args.json:
        print_json({"context": {"audio": context.hears, "video": context.sees, "seconds": round(context.seconds, 2),
                                **context.told()},
                    "now_playing": vars(playing) if playing else None,
                    "recommendations": [vars(row) for row in found]})
    else:
        _show(context, playing, found)
    return 0


def _filters(args: argparse.Namespace) -> Filters:
    return Filters.of(children=args.children, artists=args.block_artist, unavailable=args.unavailable,
                      repeats=args.repeats)


def open_trusted(args: argparse.Namespace) -> Bundle:
    """The bundle that the arguments name, if its signature is one of theirs; our own needs none. Raises BundleError."""
    return open_bundle(args.bundle, trust=_trust(args))


def _trust(args: argparse.Namespace) -> Trust:
    return device_trust(args.keys, unsigned_allowed=args.allow_unsigned)


def _perceive_all(
    args: argparse.Namespace, bundle: Bundle, profile: FirmwareProfile, builder: ContextBuilder
) -> None:
    from edge.session import perceive

    with Ticker(enabled=sys.stderr.isatty()) as ticker:
        for path in args.files:
            perceive(path, bundle=bundle, profile=profile, builder=builder, runtime=args.engine,
                     on_news=ticker.following(path.name))


def _show(context: Context, playing: Any, found: list[Recommendation]) -> None:
    senses = [name for name, there in (("heard", context.hears), ("seen", context.sees)) if there]
    print(f"{' and '.join(senses) or 'nothing understood'}, the last {context.seconds:.0f} s")
    if told := context.told():
        print(f"sounds like {told['kind']}{': ' if told['tags'] else ''}{', '.join(told['tags'])}")
    if playing:
        print(f"playing: {playing.title}{f', {playing.artist}' if playing.artist else ''}  ({playing.score:.2f})")
    for row in found:
        by = f", {row.artist}" if row.artist else ""
        print(f"{row.rank:3d}  {row.score:.2f}  {row.title}{by}\n           {'; '.join(row.reasons)}")


def embed(args: argparse.Namespace) -> int:
    from edge.session import perceive

    profile, bundle = load_profile(args.profile), open_trusted(args)
    builder = ContextBuilder(seconds=profile.context.seconds)
    modalities = (args.modality,) if args.modality else ("audio", "video")
    with Ticker(enabled=sys.stderr.isatty()) as ticker:
        embeddings = perceive(args.file, bundle=bundle, profile=profile, builder=builder, runtime=args.engine,
                              modalities=modalities, on_news=lambda news: ticker.tell(f"{news.end_s:.0f} s"))
    modality = args.modality or (embeddings[0].modality if embeddings else "audio")
    rows = [_embedding_row(embedding, args.view or modality) for embedding in embeddings
            if embedding.modality == modality]
    if args.json:
        dimension = len(rows[0]["vector"]) if rows else 0
        print_json({"modality": modality, "dimension": dimension, "embeddings": rows})
    else:
        for row in rows:
            print(f"{row['start_s']:8.2f} {row['end_s']:8.2f}  " + " ".join(f"{x:+.3f}" for x in row["vector"]))
    return 0


def _embedding_row(embedding: Embedding, view: str) -> dict[str, Any]:
    if view not in embedding.vectors:
        raise UsageError(f"view {view!r} is not one of {', '.join(embedding.vectors)}")
    vector = [round(float(value), 6) for value in embedding.vectors[view]]
    return {"start_s": round(embedding.start_s, 3), "end_s": round(embedding.end_s, 3), "vector": vector}


def search(args: argparse.Namespace) -> int:
    if bool(args.words) == bool(args.like):
        raise UsageError("give words to search for, or --like ITEM")
    with open_snapshot(args.catalog) as snapshot:
        found = (similar(snapshot, args.like, args.k) if args.like
                 else snapshot.items.search(" ".join(args.words), args.k))
        rows = [(snapshot.items.by_row(row), score) for row, score in found]
    if args.json:
        print_json({"results": [{"item": item.item, "title": item.title, "artist": item.artist, "kind": item.kind,
                                 "score": round(float(score), 4)} for item, score in rows]})
    else:
        for item, score in rows:
            print(f"{score:6.2f}  {item.item}  {item.title}{f', {item.artist}' if item.artist else ''}")
    return 0


def find_item(snapshot: Snapshot, name: str) -> Any:
    item = snapshot.items.by_id(name)
    if item is None:
        raise UsageError(f"no item {name!r:.140} in {snapshot.path}; roomtone search WORDS finds items")
    return item


def feedback(args: argparse.Namespace) -> int:
    with open_snapshot(args.catalog) as snapshot:
        find_item(snapshot, args.item)
    event = Event(args.id or str(uuid.uuid4()), args.user, args.item, args.event, args.value, args.time_s)
    with open_history(args.state) as history:
        new = history.add(event)
    if args.json:
        print_json({"id": event.id, "new": new})
    else:
        print(f"kept: {args.user} {args.event} {args.item}" if new else f"{event.id} was there already")
    return 0


def forget(args: argparse.Namespace) -> int:
    with open_history(args.state) as kept:
        forgotten = kept.forget(args.user)
    if args.json:
        print_json({"user": args.user, "forgotten": forgotten})
    else:
        print(f"forgot {forgotten} events of {args.user}")
    return 0


def daemon(args: argparse.Namespace) -> int:
    from edge.daemon.options import DaemonOptions
    from edge.daemon.service import serve, set_up_logging
    from edge.update import trial

    def run(release: trial.Release | None) -> int:
        used = release or trial.Release()
        return serve(DaemonOptions(
            profile=load_profile(args.profile), profile_source=args.profile, state_dir=args.state,
            audio=args.audio, video=args.video,
            release=release, bundle=args.bundle or used.bundle, catalog=args.catalog or used.catalog,
            trust=_trust(args), engine=args.engine, listen=args.listen, token_file=args.token_file,
            paced=not args.fast, print_events=args.json))

    set_up_logging()  # what is on trial is told before anything of it is opened
    return run(None) if args.bundle or args.catalog else trial.start(args.state, run)


def settle(args: argparse.Namespace) -> None:
    """Fill in the bundle and catalogue that were not named: those that the daemon of this state folder uses."""
    from edge.update import trial

    named = {part: getattr(args, part, None) for part in ("bundle", "catalog")}
    used = trial.Release() if any(named.values()) else trial.in_use(args.state)
    args.bundle, args.catalog = named["bundle"] or used.bundle, named["catalog"] or used.catalog


def open_history(state: Path) -> History:
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise RoomtoneError(f"{state}: the state folder cannot be made: {error.strerror}; "
                            "give another with --state") from error
    return History(state / HISTORY_FILE)


def print_json(document: Any) -> None:
    json.dump(document, sys.stdout, ensure_ascii=False, default=lambda value: list(value))
    print()


class Ticker:
    """One line on stderr that says how far a long file is."""

    def __init__(self, *, enabled: bool):
        self._enabled = enabled

    def tell(self, text: str) -> None:
        if self._enabled:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    def following(self, name: str) -> Callable[[Embedding], None]:
        """Says how far a file has been understood."""
        return lambda news: self.tell(f"{name}: {news.modality} {news.end_s:.0f} s")

    def __enter__(self) -> "Ticker":
        return self

    def __exit__(self, *_: object) -> None:
        if self._enabled:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
