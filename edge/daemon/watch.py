"""Looks every few seconds at what the daemon costs, and has work left out in time."""

import asyncio

from edge.daemon.desk import Desk
from edge.daemon.shedding import Shedder
from edge.usage import CpuMeter

LOOK_EVERY_S = 2.0


async def run(desk: Desk, shedder: Shedder, cpu: CpuMeter) -> None:
    """On the reader's thread, since the catalogue's pages are given back between its searches only."""
    while True:
        cpu.look()
        await desk.read(shedder.look)
        await asyncio.sleep(LOOK_EVERY_S)
