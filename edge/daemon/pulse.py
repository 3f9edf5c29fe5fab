"""The pulse that the page shows: levels several times a second, the senses' state when it changes and now and then."""

import asyncio
from typing import Any

from edge.daemon.room import Room

PULSE_S = 0.25
STATUS_EVERY = 20
"""Pulses between two reports of a state that has not changed."""


async def run(room: Room) -> None:
    """Publish ``level`` and ``status`` while anybody reads; costs nothing otherwise."""
    said: Any = None
    since = 0
    while True:
        await asyncio.sleep(PULSE_S)
        if not room.broadcaster.readers:
            continue
        room.broadcaster.publish("level", _levels(room))
        state = _state(room)
        since += 1
        if state != said or since >= STATUS_EVERY:
            room.broadcaster.publish("status", room.senses_status())
            said, since = state, 0


def _levels(room: Room) -> dict[str, Any]:
    return {name: sense.level_dbfs for name, sense in room.senses.items()}


def _state(room: Room) -> tuple[Any, ...]:
    senses = ((sense.state, sense.error, sense.description) for sense in room.senses.values())
    return (room.mute.muted, *senses)
