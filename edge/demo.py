"""``make demo``: the sample clips through the path that a microphone and a screen take, told as it happens."""

import os
import sys
import tempfile
from pathlib import Path

from edge.errors import RoomtoneError

CLIPS = Path(__file__).resolve().parent / "assets" / "clips"
SOUND_SUFFIXES, FILM_SUFFIXES = (".ogg", ".flac", ".wav", ".opus"), (".mp4", ".mkv")
LISTED = 5
POINTERS = """
Your own:    .venv/bin/roomtone recommend FILE          a sound file or a film
Live:        .venv/bin/roomtone daemon --audio mic      or  --audio file:PATH --video v4l2:/dev/video0
             then look at http://127.0.0.1:8765/ in a browser (the TV page; like and skip are buttons)
"""


def main() -> int:
    for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(pool, "1")
    try:
        _demo()
    except RoomtoneError as error:
        print(f"demo: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _demo() -> None:
    from edge.bundle import open_bundle
    from edge.catalog.snapshot import open_snapshot
    from edge.firmware import load
    from edge.recommend.history import History
    from edge.recommend.recommender import Recommender

    profile, bundle = load("workstation"), open_bundle()
    with (
        tempfile.TemporaryDirectory() as state,
        open_snapshot(spaces=bundle.spaces()) as snapshot,
        History(Path(state) / "history.db") as history,
    ):
        print(f"{bundle.name} {bundle.version}, a catalogue of {len(snapshot.items)} items, {profile.engine.runtime}")
        recommender = Recommender(snapshot, history, candidates=profile.catalog.candidates)
        for clip in clips():
            _take_in(clip, bundle, profile, recommender, snapshot)
    print(POINTERS)


def clips() -> list[Path]:
    """The sample clips, sound before film."""
    found = sorted(CLIPS.iterdir()) if CLIPS.is_dir() else []
    return ([clip for clip in found if clip.suffix in SOUND_SUFFIXES]
            + [clip for clip in found if clip.suffix in FILM_SUFFIXES])


def _take_in(clip: Path, bundle, profile, recommender, snapshot) -> None:
    from edge.context import ContextBuilder
    from edge.session import perceive

    builder = ContextBuilder(seconds=profile.context.seconds)
    said: set[str] = set()

    def tell(news) -> None:
        text = _understood(news.modality, builder.context(), recommender, snapshot)
        if text not in said:
            print(f"  {news.end_s:5.1f} s  {text}", flush=True)
        said.add(text)

    print(f"\n{clip.name}")
    perceive(clip, bundle=bundle, profile=profile, builder=builder, on_news=tell)
    print("  play next:")
    for row in recommender.recommend(builder.context(), user="demo", k=LISTED):
        by = f", {row.artist}" if row.artist else ""
        print(f"  {row.rank}. {row.title}{by}  ({row.score:.2f})  {'; '.join(row.reasons)}")


def _understood(modality: str, context, recommender, snapshot) -> str:
    """The recording or shot if it is known, else what the sound or picture is most like."""
    senses, kind = ("hears", "track") if modality == "audio" else ("sees", "shot")
    playing = recommender.now_playing(context)
    if playing and playing.kind == kind:
        return f"{senses} {playing.title!r} ({playing.score:.2f})"
    rows, _ = snapshot.views[modality].search(context.vectors[modality], 1)
    return f"{senses} something like {snapshot.items.by_row(rows[0]).title!r}"


if __name__ == "__main__":
    sys.exit(main())
