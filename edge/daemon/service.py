"""The daemon's life: check, open, listen, serve, stop; SIGHUP starts it again with what lies on the disk now.

Threads: the main thread runs the event loop (HTTP, events, the watchdog's sign of life); each sense has a pipeline
thread; the desk has two more (desk.py). They meet in the context builder, in the senses' health and, through
call_soon_threadsafe, in the loop.
"""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge import firmware
from edge.bundle import open_bundle
from edge.catalog.snapshot import open_snapshot
from edge.daemon import api, inherited, listen, probation, pulse, server, watch
from edge.daemon.events import print_lines
from edge.daemon.house import House, open_house
from edge.daemon.listen import Address
from edge.daemon.notify import Notifier, keep_alive
from edge.daemon.options import DaemonOptions
from edge.daemon.requests import DEFAULT_USER
from edge.errors import RoomtoneError
from edge.loaded import release_loaded
from edge.memory import plan

__all__ = ["DaemonOptions", "serve"]

SWITCH_S = 0.0005
"""How long a thread keeps the interpreter while another waits for it; Python's 5 ms make a search hold up answers."""
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
STOP_SENSE_S = 0.3
"""How long each sense may take to finish its block; one that waits for its device longer is left behind."""

log = logging.getLogger(__name__)


def serve(options: DaemonOptions) -> int:
    """Run until SIGTERM or SIGINT; returns the exit code 0. Raises RoomtoneError when it cannot start.

    SIGHUP opens bundle, catalogue and profile anew, in a new process of the same number with the same socket, if they
    can be opened; else it says why and goes on as before.

    Logs to stderr, unless the caller has set up logging.
    """
    began_s = time.monotonic()
    sys.setswitchinterval(SWITCH_S)
    set_up_logging()
    address = listen.parse(options.listen)
    token = listen.read_token(options.token_file) if options.token_file else None
    listen.require_token(address, token)
    listening, ours = inherited.open_socket(address)
    try:
        with listening:
            done = asyncio.run(_run(options, address, token, listening, began_s))
        if done.successor is not None:
            inherited.start_again(done.successor)
    finally:
        if address.path and ours:
            Path(address.path).unlink(missing_ok=True)
    if not done.threads_ended:
        # A thread inside a driver's call cannot be ended, and the interpreter's own end would trip over it.
        logging.shutdown()
        os._exit(0)
    return 0


def set_up_logging() -> None:
    """Log to stderr, unless the caller has set up logging."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")


@dataclass(frozen=True)
class Done:
    """How a run ended."""

    threads_ended: bool
    successor: socket.socket | None
    """What the next process listens on, when there is to be one."""


async def _run(
    options: DaemonOptions, address: Address, token: str | None, listening: socket.socket, began_s: float
) -> Done:
    told, notifier = _signals(), Notifier()
    with open_house(options, asyncio.get_running_loop()) as house:
        http = server.build(api.build(house.room, address=address, token=token))
        serving = asyncio.create_task(http.serve(sockets=[listening]))
        tasks = [asyncio.create_task(work) for work in _background(house, notifier, options)]
        release_loaded()  # while no thread but this one loads anything
        for sense in house.senses:
            sense.pipeline.start()
        gc.freeze()  # what was opened stays: the collector need not walk through it every few seconds
        log.info("ready in %.2f s: %s", time.monotonic() - began_s, listen.url(listening))
        notifier.ready(f"listening on {listen.url(listening)}")
        successor = listening.dup() if await _until_told(told, serving, options) else None
        if successor is None:
            notifier.stopping()
        else:
            signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # they wait until the process to come has its handlers
            notifier.reloading()
        stopping_s = time.monotonic()
        http.should_exit = True
        ended = await _end(house, [serving, *tasks])
        log.info("stopped in %.2f s", time.monotonic() - stopping_s)
        if successor is not None and _to_stop(told):
            successor.close()
            successor = None
        return Done(ended, successor)


async def _until_told(told: asyncio.Queue[int], serving: asyncio.Task[None], options: DaemonOptions) -> bool:
    """Whether to start again; False when it is to stop."""
    while True:
        signalled = asyncio.create_task(told.get())
        await asyncio.wait([signalled, serving], return_when=asyncio.FIRST_COMPLETED)
        if serving.done() or signalled.result() != signal.SIGHUP:
            signalled.cancel()
            return False
        if await asyncio.to_thread(_can_start_again, options):
            return True


def _can_start_again(options: DaemonOptions) -> bool:
    """A look at what lies there now; a release of ``roomtone update`` has its own way back."""
    try:
        profile = firmware.load(options.profile_source) if options.profile_source else options.profile
        if options.release is None:
            bundle = open_bundle(options.bundle, trust=options.trust)
            with open_snapshot(options.catalog, spaces=bundle.spaces()) as snapshot:
                plan(profile, bundle, snapshot, runtime=options.engine).check()
    except RoomtoneError as error:
        log.error("not reloaded, all stays as it was: %s", error)
        return False
    log.info("reloading")
    return True


def _background(house: House, notifier: Notifier, options: DaemonOptions) -> list[Coroutine[Any, Any, None]]:
    room = house.room
    work = [room.refresher.run(), pulse.run(room), keep_alive(notifier, room.senses.values()),
            watch.run(house.shedder, room.cpu)]
    if options.release is not None:
        work.append(probation.run(room, options.release))
    if options.print_events:
        work.append(print_lines(room.broadcaster.subscribe(DEFAULT_USER), sys.stdout))
    return work


async def _end(house: House, tasks: list[asyncio.Task[None]]) -> bool:
    serving, *background = tasks
    house.room.broadcaster.close()
    for task in background:
        task.cancel()
    stops = [asyncio.to_thread(sense.stop, within_s=STOP_SENSE_S) for sense in house.senses]
    _, *ended = await asyncio.gather(serving, *stops)
    return all(ended)


def _to_stop(told: asyncio.Queue[int]) -> bool:
    """Whether a signal that came behind the one to start again says to stop."""
    return any(told.get_nowait() != signal.SIGHUP for _ in range(told.qsize()))


def _signals() -> asyncio.Queue[int]:
    """Those that came and were not yet obeyed."""
    told: asyncio.Queue[int] = asyncio.Queue()
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, told.put_nowait, number)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # those that came since the process before us blocked them
    return told

