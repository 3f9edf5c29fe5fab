"""Does throughput last, second after second, and what do temperature and clock do meanwhile?"""

import time
from contextlib import ExitStack

from benchmarks import board
from benchmarks.report import Figure, Row
from benchmarks.room import Room
from edge.firmware import FirmwareProfile

PARTS = 12
"""The time is cut into so many rows."""


def run(profile: FirmwareProfile, peers: bool, seconds: float = 60.0) -> list[Row]:
    """Hears, sees where the profile does, and recommends, without a pause, as a device never does.

    ``real_time_factor``: seconds of the sample clips understood per second. ``temperature_c``, ``clock_mhz`` and
    ``throttled`` are read at the end of each row. The last row is the last quarter over the first.
    """
    with ExitStack() as stack:
        room = Room(profile, stack)
        _live(room)
        rows = [_part(room, seconds * part / PARTS, seconds / PARTS) for part in range(PARTS)]
    return [*rows, _lasting(rows)]


def _live(room: Room) -> float:
    seconds = room.both()
    room.recommend()
    return seconds


def _part(room: Room, began_s: float, seconds: float) -> Row:
    lived_s, until_s, from_s = 0.0, time.perf_counter() + seconds, time.perf_counter()
    while time.perf_counter() < until_s:
        lived_s += _live(room)
    figures: dict[str, Figure] = {"real_time_factor": lived_s / (time.perf_counter() - from_s)}
    told = {"temperature_c": board.temperature_c(), "clock_mhz": board.clock_mhz(), "throttled": board.throttled()}
    return Row(f"{began_s:.4g} s", figures | {
        key: "not told" if value is None else value for key, value in told.items()})


def _lasting(rows: list[Row]) -> Row:
    quarter = max(1, len(rows) // 4)

    def mean(part: list[Row]) -> float:
        return sum(float(str(row.figures["real_time_factor"])) for row in part) / len(part)

    return Row("last quarter over first", {"ratio": mean(rows[-quarter:]) / mean(rows[:quarter])})
