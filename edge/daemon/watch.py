"""Looks every few seconds at what the daemon costs, and has work left out in time."""

import asyncio

from edge.daemon.shedding import Shedder
from edge.usage import CpuMeter

LOOK_EVERY_S = 2.0


async def run(shedder: Shedder, cpu: CpuMeter) -> None:
    """On a thread of its own: asking the kernel for the memory in use holds up no search and no connection."""
    while True:
        cpu.look()
        await asyncio.to_thread(shedder.look)
        await asyncio.sleep(LOOK_EVERY_S)
