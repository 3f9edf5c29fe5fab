"""What a board tells of itself while it works: temperature, clock, and whether it holds itself back."""

from pathlib import Path

SYSTEM = Path("/sys")
RASPBERRY_PI_THROTTLED = "devices/platform/soc/soc:firmware/get_throttled"
"""Bits 0 to 3: under-voltage, clock capped, throttled, soft temperature limit, now."""
NOW_BITS = 0xF


def temperature_c(system: Path = SYSTEM) -> float | None:
    """The hottest thermal zone; None where the board does not tell."""
    read = [_number(path) for path in system.glob("class/thermal/thermal_zone*/temp")]
    told = [value / 1000 for value in read if value is not None]
    return max(told, default=None)


def clock_mhz(system: Path = SYSTEM) -> float | None:
    """The mean of the cores' present clocks; None where the board does not tell."""
    read = [_number(path) for path in system.glob("devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq")]
    told = [value / 1000 for value in read if value is not None]
    return sum(told) / len(told) if told else None


def governor(system: Path = SYSTEM) -> str | None:
    try:
        return (system / "devices/system/cpu/cpu0/cpufreq/scaling_governor").read_text(encoding="ascii").strip()
    except OSError:
        return None


def throttled(system: Path = SYSTEM) -> bool | None:
    """Whether a Raspberry Pi caps its clock now, for heat or for want of voltage; None elsewhere."""
    value = _number(system / RASPBERRY_PI_THROTTLED, base=16)
    return None if value is None else bool(value & NOW_BITS)


def _number(path: Path, base: int = 10) -> int | None:
    try:
        return int(path.read_text(encoding="ascii").strip(), base)
    except (OSError, ValueError):
        return None
