"""A source that heals: it opens, counts, mutes and reopens the real one, so that its reader never goes deaf.

It is a source itself (``description``, ``read``, ``close``), so the front end does not know the difference.
Only the pipeline thread of its sense reads it; ``mute`` and ``close`` may come from any thread.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

from edge.daemon.health import SenseHealth, State
from edge.errors import MediaError

FIRST_RETRY_S = 0.25
LONGEST_RETRY_S = 4.0
BEAT_S = 0.25
"""How often a pipeline that has to wait shows that it is alive."""

log = logging.getLogger(__name__)


class Source(Protocol):
    """What open_audio and open_video return; ``read`` gives None at the end."""

    @property
    def description(self) -> str: ...
    def read(self) -> Any: ...
    def close(self) -> None: ...


class Capture:
    def __init__(
        self,
        open_source: Callable[[], Source],
        health: SenseHealth,
        *,
        count: Callable[[SenseHealth, Any], None],
        endless: bool,
        on_break: Callable[[], None],
    ):
        """
        Parameters
        ----------
        count
            Enters what arrived into the health: count_sound or count_picture.
        endless
            The source has no end of its own (microphone, camera, live stream): an end is a loss.
        on_break
            Called on the reading thread when what comes next does not continue what came before.
        """
        self._open_source, self._health, self._count = open_source, health, count
        self._endless = endless
        self._on_break = on_break
        self._source: Source | None = None
        self._retry_s = FIRST_RETRY_S
        self._muted = self._closed = False
        self._wake = threading.Event()

    @property
    def description(self) -> str:
        return self._health.description

    def mute(self, muted: bool) -> None:
        """Release the device until unmuted; at most the block that is being read now is thrown away."""
        self._muted = muted
        self._wake.set()

    def close(self) -> None:
        """Make ``read`` end soon."""
        self._closed = True
        self._wake.set()

    def read(self) -> Any:
        """The next block or picture, however long it takes; None when closed or at the end of a file."""
        while not self._closed:
            self._health.beat()
            if self._muted:
                self._rest()
            elif self._source is not None or self._open():
                block = self._read_once()
                if block is not None or self._health.state is State.ENDED:
                    return block
        self._release()
        return None

    def _rest(self) -> None:
        if self._source is not None or self._health.state is not State.MUTED:
            self._release()
            self._on_break()
            self._enter(State.MUTED)
        self._wait()
        self._retry_s = FIRST_RETRY_S

    def _open(self) -> bool:
        if self._health.state is State.MUTED:
            self._enter(State.STARTING)
        try:
            self._source = self._open_source()
        except MediaError as error:
            self._lose(str(error))
            return False
        self._health.description = self._source.description
        return True

    def _read_once(self) -> Any:
        assert self._source is not None
        try:
            block = self._source.read()
        except MediaError as error:
            self._lose(str(error))
            return None
        if self._muted or self._closed:
            return None
        if block is None:
            self._end()
            return None
        self._retry_s = FIRST_RETRY_S
        self._enter(State.LIVE)
        self._count(self._health, block)
        return block

    def _end(self) -> None:
        if self._endless:
            self._lose(f"{self._health.description} delivers nothing any more")
        else:
            self._release()
            self._enter(State.ENDED)

    def _lose(self, reason: str) -> None:
        self._release()
        self._on_break()
        self._enter(State.LOST, reason)
        for _ in range(round(self._retry_s / BEAT_S)):
            if not self._wait():
                break
        self._retry_s = min(2 * self._retry_s, LONGEST_RETRY_S)

    def _wait(self) -> bool:
        """Let BEAT_S pass; False when told to do something else."""
        self._health.beat()
        told = self._wake.wait(BEAT_S)
        self._wake.clear()
        return not told

    def _enter(self, state: State, reason: str | None = None) -> None:
        if self._health.enter(state, reason):
            log.info("%s: %s%s", self._health.sense, state.value, f": {reason}" if reason else "")

    def _release(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()
