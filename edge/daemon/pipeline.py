"""One sense at work: a thread that pulls blocks through the front end and the encoder into the context."""

import logging
import threading
from collections.abc import Callable

from edge.context import Embedding
from edge.daemon.capture import Capture
from edge.daemon.health import SenseHealth
from edge.perception import Perceiver

REST_AFTER_FAILURE_S = 1.0

log = logging.getLogger(__name__)


class Pipeline(threading.Thread):
    """Steps until its capture ends.

    A step that fails is reported and the next one tried; the health's heartbeat stands still meanwhile, so a
    pipeline that never works again is noticed by the watchdog.
    """

    def __init__(self, perceiver: Perceiver, capture: Capture, health: SenseHealth, on_news: Callable[[], None]):
        super().__init__(name=health.sense, daemon=True)
        self._perceiver, self._capture, self._health, self._on_news = perceiver, capture, health, on_news
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                embeddings = self._perceiver.step()
            except Exception as error:  # the edge of a thread that must not die while the process lives
                log.exception("%s: a step failed", self._health.sense)
                self._health.error = f"{type(error).__name__}: {error}"
                self._stopping.wait(REST_AFTER_FAILURE_S)
                continue
            if embeddings is None:
                break
            self._health.beat()
            self._health.skipped = self._perceiver.skipped
            self._tell(embeddings)

    def stop(self) -> None:
        """Ask the thread to end; it does so after the block that it waits for."""
        self._stopping.set()
        self._capture.close()

    def _tell(self, embeddings: list[Embedding]) -> None:
        if embeddings:
            self._health.embeddings += len(embeddings)
            self._on_news()
