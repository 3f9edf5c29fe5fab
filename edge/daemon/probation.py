"""A release on trial proves itself: after a while of pipelines that run and a list that can be made, it stays."""

import asyncio
import logging

from edge.daemon.requests import DEFAULT_K, DEFAULT_USER
from edge.daemon.room import Room
from edge.errors import RoomtoneError
from edge.update import trial
from edge.update.trial import Release

log = logging.getLogger(__name__)


async def run(room: Room, release: Release, *, after_s: float = trial.HEALTHY_AFTER_S) -> None:
    """Returns at once for a release that is not on trial, else when it has proved itself, however long that takes."""
    while release.on_trial:
        await asyncio.sleep(after_s)
        try:
            await room.desk.recommend(DEFAULT_USER, DEFAULT_K)
            stuck = [name for name, sense in room.senses.items() if not sense.beats(within_s=after_s / 2)]
            if not stuck:
                return await asyncio.to_thread(trial.prove, release)
            log.warning("release %s is not healthy yet: %s does not move", release.name, " and ".join(stuck))
        except RoomtoneError as error:
            log.warning("release %s is not proved yet: %s", release.name, error)
