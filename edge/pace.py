"""Real time for what is read from a file."""

import time


class Pace:
    """Hands things out no sooner than a live source would."""

    def __init__(self) -> None:
        self._began_s: float | None = None

    def wait_until(self, position_s: float) -> None:
        """Sleep until ``position_s`` seconds have passed since the first call."""
        now_s = time.monotonic()
        if self._began_s is None:
            self._began_s = now_s
        time.sleep(max(0.0, self._began_s + position_s - now_s))
