"""The daemon's life: check, open, listen, serve, stop.

Threads: the main thread runs the event loop (HTTP, events, the watchdog's sign of life); each sense has a pipeline
thread; the desk has two more (desk.py). They meet in the context builder, in the senses' health and, through
call_soon_threadsafe, in the loop.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

from edge.daemon import api, listen, probation, pulse, server, watch
from edge.daemon.events import print_lines
from edge.daemon.house import House, open_house
from edge.daemon.listen import Address
from edge.daemon.notify import Notifier, keep_alive
from edge.daemon.options import DaemonOptions
from edge.daemon.requests import DEFAULT_USER

__all__ = ["DaemonOptions", "serve"]

STOP_SENSE_S = 0.3
"""How long each sense may take to finish its block; one that waits for its device longer is left behind."""

log = logging.getLogger(__name__)


def serve(options: DaemonOptions) -> int:
    """Run until SIGTERM or SIGINT; returns the exit code 0. Raises RoomtoneError when it cannot start.

    Logs to stderr, unless the caller has set up logging.
    """
    began_s = time.monotonic()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    address = listen.parse(options.listen)
    token = listen.read_token(options.token_file) if options.token_file else None
    listen.require_token(address, token)
    if not asyncio.run(_run(options, address, token, began_s)):
        # A thread inside a driver's call cannot be ended, and the interpreter's own end would trip over it.
        logging.shutdown()
        os._exit(0)
    return 0


async def _run(options: DaemonOptions, address: Address, token: str | None, began_s: float) -> bool:
    """Returns whether all threads came to their end."""
    stop, notifier = _stop_on_signals(), Notifier()
    with _listening(address) as listening, open_house(options, asyncio.get_running_loop()) as house:
        http = server.build(api.build(house.room, address=address, token=token))
        serving = asyncio.create_task(http.serve(sockets=[listening]))
        tasks = [asyncio.create_task(work) for work in _background(house, notifier, options)]
        for sense in house.senses:
            sense.pipeline.start()
        log.info("ready in %.2f s: %s", time.monotonic() - began_s, listen.url(listening))
        notifier.ready(f"listening on {listen.url(listening)}")
        await asyncio.wait([asyncio.create_task(stop.wait()), serving], return_when=asyncio.FIRST_COMPLETED)
        notifier.stopping()
        stopping_s = time.monotonic()
        http.should_exit = True
        ended = await _end(house, [serving, *tasks])
        log.info("stopped in %.2f s", time.monotonic() - stopping_s)
        return ended


def _background(house: House, notifier: Notifier, options: DaemonOptions) -> list[Coroutine[Any, Any, None]]:
    room = house.room
    work = [room.refresher.run(), pulse.run(room), keep_alive(notifier, room.senses.values()),
            watch.run(room.desk, house.shedder, room.cpu)]
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


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


@contextlib.contextmanager
def _listening(address: Address) -> Iterator[socket.socket]:
    listening = listen.open_socket(address)
    try:
        with listening:
            yield listening
    finally:
        if address.path:
            Path(address.path).unlink(missing_ok=True)
