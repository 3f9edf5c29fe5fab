"""Everything that the daemon opens, in order, each part checked before the next is loaded; closed in reverse."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import edge
from edge import installed
from edge.bundle import Bundle, open_bundle
from edge.catalog.snapshot import Snapshot, open_snapshot
from edge.context import ContextBuilder
from edge.daemon import savings, senses
from edge.daemon.desk import Desk
from edge.daemon.events import Broadcaster
from edge.daemon.health import SenseHealth
from edge.daemon.mute import MuteSwitch
from edge.daemon.options import DaemonOptions
from edge.daemon.refresh import Refresher
from edge.daemon.room import About, Room
from edge.daemon.senses import Sense
from edge.daemon.shedding import Shedder, trim_heap
from edge.daemon.versions import used_since
from edge.loaded import release_loaded
from edge.memory import Meter, Plan, measure, plan
from edge.recommend.recommender import Recommender
from edge.recommend.standin import open_kept
from edge.usage import CpuMeter
from edge.verified import Verified

MAX_READERS = 16
"""Readers of the event stream at once."""
HISTORY_FILE, MUTED_FILE, VERIFIED_FILE = "history.db", "muted", "verified.json"


@dataclass(frozen=True)
class House:
    room: Room
    senses: list[Sense]
    """Those that are used; their threads are not started yet."""
    shedder: Shedder


@contextlib.contextmanager
def open_house(options: DaemonOptions, loop: asyncio.AbstractEventLoop) -> Iterator[House]:
    """Raises RoomtoneError, naming what is missing, altered or over the budget."""
    senses.check(options)
    bundle = open_bundle(options.bundle, trust=options.trust)
    release_loaded()
    with contextlib.ExitStack() as stack:
        snapshot = stack.enter_context(open_snapshot(
            options.catalog, spaces=bundle.spaces(), verified=Verified(options.state_dir / VERIFIED_FILE)))
        planned = plan(options.profile, bundle, snapshot, runtime=options.engine)
        planned.check()
        history = stack.enter_context(open_kept(options.state_dir / HISTORY_FILE))
        if options.release is None:  # an update checks for itself, and must be able to go back
            installed.accept(options.state_dir, bundle)
        recommender = Recommender(snapshot, history, candidates=options.profile.catalog.candidates)
        builder = ContextBuilder(seconds=options.profile.context.seconds)
        desk = Desk(snapshot, history, recommender, builder)
        stack.callback(desk.close)
        broadcaster = Broadcaster(max_readers=MAX_READERS)
        refresher = Refresher(desk, broadcaster, loop)
        health = senses.healths(options)
        mute = MuteSwitch(options.state_dir / MUTED_FILE)
        used = _open_senses(options, bundle, builder, health, mute, refresher.wake_from_thread)
        about = _about(options, bundle, snapshot, used)
        shedder = _shedder(planned, recommender, broadcaster, used, snapshot, desk, loop)
        meter = Meter(planned, folders={"models": bundle.path, "catalogue": snapshot.path})
        room = Room(about, desk, broadcaster, refresher, mute, health, memory=meter.report, shed=shedder.report,
                    cpu=CpuMeter())
        yield House(room, used, shedder)


def _shedder(
    planned: Plan, recommender: Recommender, broadcaster: Broadcaster, used: list[Sense], snapshot: Snapshot,
    desk: Desk, loop: asyncio.AbstractEventLoop,
) -> Shedder:
    def give_back() -> None:
        desk.between_reads(snapshot.release)
        trim_heap()

    candidates = planned.profile.catalog.candidates
    steps = savings.steps(recommender, candidates, broadcaster, MAX_READERS, used, loop.call_soon_threadsafe)
    return Shedder(steps, budget_bytes=planned.budget_bytes, measure=measure, give_back=give_back)


def _open_senses(
    options: DaemonOptions,
    bundle: Bundle,
    builder: ContextBuilder,
    health: dict[str, SenseHealth],
    mute: MuteSwitch,
    news: Callable[[], None],
) -> list[Sense]:
    used = []
    for spec, name, assemble in (
        (options.audio, "audio", senses.hearing),
        (options.video, "video", senses.sight),
    ):
        if spec != senses.NONE:
            sense = assemble(options, bundle, builder, health[name], news)
            mute.control(sense.capture)
            used.append(sense)
    release_loaded()
    for sense in used:
        sense.capture.open()
    return used


def _about(options: DaemonOptions, bundle: Bundle, snapshot: Snapshot, used: list[Sense]) -> About:
    versions = {"bundle": f"{bundle.name} {bundle.version}", "snapshot": f"{snapshot.name} {snapshot.version}"}
    return About(
        version=edge.__version__,
        profile=options.profile.name,
        engine=used[0].perceiver.runtime if used else "none",
        items=len(snapshot.items),
        since_s=used_since(options.state_dir, versions),
        **versions,
    )
