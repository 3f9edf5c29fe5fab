"""The mute switch: a file in the state folder, so that muted stays muted across a restart."""

import logging
from pathlib import Path

from edge.daemon.capture import Capture

log = logging.getLogger(__name__)


class MuteSwitch:
    def __init__(self, path: Path):
        self._path = path
        self._captures: list[Capture] = []
        self.muted = path.exists()

    def control(self, capture: Capture) -> None:
        """Mute this capture too, from now on."""
        self._captures.append(capture)
        capture.mute(self.muted)

    def turn(self, muted: bool) -> None:
        """Stop or resume capture at once; then remember it as well as the disk allows."""
        self.muted = muted
        for capture in self._captures:
            capture.mute(muted)
        try:
            if muted:
                self._path.touch(mode=0o600)
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s: a restart will forget the mute switch: %s", self._path, error.strerror)
