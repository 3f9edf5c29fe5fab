"""A source that heals: it opens, counts, mutes and reopens the real one, so that its reader never goes deaf.

It is a source itself (``description``, ``read``, ``close``), so the front end does not know the difference.
Only the pipeline thread of its sense reads it; ``mute``, ``shed``, ``thin`` and ``close`` may come from any thread.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

from edge.daemon.health import SenseHealth, State
from edge.daemon.shedding import trim_heap
from edge.errors import MediaError, RoomtoneError

FIRST_RETRY_S = 0.25
LONGEST_RETRY_S = 2.0
"""So that a device is back within 5 s, the time of a look at zeros (ZEROS_S) included."""
BEAT_S = 0.25
"""How often a pipeline that has to wait shows that it is alive."""
ZEROS_S = 1.5
"""How long a live source may deliver exact zeros; even a silent room has noise."""

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
    ):
        """
        Parameters
        ----------
        count
            Enters what arrived into the health: count_sound or count_picture.
        endless
            The source has no end of its own (microphone, camera, live stream): an end is a loss.
        """
        self._open_source, self._health, self._count = open_source, health, count
        self._endless = endless
        self.on_break: Callable[[], None] = lambda: None
        """Called on the reading thread when what comes next does not continue what came before."""
        self._source: Source | None = None
        self._retry_s = FIRST_RETRY_S
        self._overflows = 0
        self._muted = self._shed = self._closed = False
        self._every, self._skipped = 1, 0
        self._wake = threading.Event()

    @property
    def description(self) -> str:
        return self._health.description

    def mute(self, muted: bool) -> None:
        """Release the device until unmuted; at most the block that is being read now is thrown away."""
        self._muted = muted
        self._wake.set()

    def shed(self, shed: bool) -> None:
        """Release the device to save memory, as ``mute`` does; one that is muted stays muted."""
        self._shed = shed
        self._wake.set()

    def thin(self, every: int) -> None:
        """Hand out only one of ``every`` blocks or pictures; all of them are counted."""
        self._every = every

    def __enter__(self) -> "Capture":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Make ``read`` end soon."""
        self._closed = True
        self._wake.set()

    def open(self) -> None:
        """Open for the first time, so that what cannot ever work is known before anything is served.

        Raises RoomtoneError, except for a device that is merely not there: that one is waited for.
        """
        self._health.enter(State.STARTING)
        if self._resting is None and self._source is None:
            try:
                self._take_source()
            except MediaError as error:
                if not self._endless:
                    raise
                self._enter(State.LOST, str(error))

    def read(self) -> Any:
        """The next block or picture, however long it takes; None when closed or at the end of a file."""
        while not self._closed:
            self._health.beat()
            if (resting := self._resting) is not None:
                self._rest(resting)
            elif self._source is not None or self._open():
                block = self._read_once()
                if block is not None or self._health.state is State.ENDED:
                    return block
        self._release()
        return None

    @property
    def _resting(self) -> State | None:
        """Why nothing is to be captured now, if so."""
        if self._muted:
            return State.MUTED
        return State.SHED if self._shed else None

    def _rest(self, state: State) -> None:
        if self._source is not None or self._health.state is not state:
            self._release()
            self.on_break()
            self._enter(state)
        self._wait()
        self._retry_s = FIRST_RETRY_S

    def _open(self) -> bool:
        if self._health.state in (State.MUTED, State.SHED):
            self._enter(State.STARTING)
        try:
            self._take_source()
        except RoomtoneError as error:
            self._lose(str(error))
            return False
        return True

    def _take_source(self) -> None:
        self._source = self._open_source()
        self._health.description, self._health.zeros_s, self._overflows = self._source.description, 0.0, 0
        self._health.arrived_at = getattr(self._source, "arrived_at", None)

    def _read_once(self) -> Any:
        assert self._source is not None
        try:
            block = self._source.read()
        except MediaError as error:
            self._end(str(error))
            return None
        if self._resting or self._closed:
            return None
        if block is None:
            self._end(None)
            return None
        return self._accept(block)

    def _accept(self, block: Any) -> Any:
        """Count what arrived. A device that delivers nothing but exact zeros has no microphone behind it."""
        self._count(self._health, block)
        self._note_overflows()
        if self._endless and self._health.zeros_s > ZEROS_S:
            self._lose(f"{self._health.description} delivers nothing but zeros; is it plugged in?")
            return None
        if not self._endless or self._health.zeros_s == 0:
            self._retry_s = FIRST_RETRY_S
            self._health.gaps += self._health.state is State.LOST
            self._enter(State.LIVE)
        self._skipped = (self._skipped + 1) % self._every
        return block if self._skipped == 0 else None

    def _note_overflows(self) -> None:
        """Sources that can lose sound say how often they did, since they were opened."""
        seen, self._overflows = self._overflows, getattr(self._source, "overflows", 0)
        self._health.overflows += self._overflows - seen
        self._health.gaps += self._overflows > seen

    def _end(self, reason: str | None) -> None:
        """The end of a file, or of one that is damaged there; of anything else it is a loss."""
        if self._endless:
            self._lose(reason or f"{self._health.description} delivers nothing any more")
        else:
            self._release()
            self._enter(State.ENDED, reason)

    def _lose(self, reason: str) -> None:
        self._enter(State.LOST, reason)  # first: closing what a hung sound server holds waits for that server
        if self._source is not None:
            self._release()
            trim_heap()  # what a sound server's client took comes in other pieces the next time: 5 MB after 100 losses
        self.on_break()
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
            level = logging.WARNING if state is State.LOST else logging.INFO
            log.log(level, "%s: %s%s", self._health.sense, state.value, f": {reason}" if reason else "")

    def _release(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()
