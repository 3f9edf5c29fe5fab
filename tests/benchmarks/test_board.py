"""What a board tells, read from a folder laid out as the kernel lays out /sys."""

import pytest

from benchmarks import board


@pytest.fixture
def lay(tmp_path):
    def lay(path: str, text: str) -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    return lay


def test_the_hottest_zone_and_the_mean_clock(lay, tmp_path):
    lay("class/thermal/thermal_zone0/temp", "48312\n")
    lay("class/thermal/thermal_zone1/temp", "51000\n")
    lay("class/thermal/thermal_zone2/temp", "no reading\n")
    for core, clock_khz in enumerate((600000, 1500000)):
        lay(f"devices/system/cpu/cpu{core}/cpufreq/scaling_cur_freq", f"{clock_khz}\n")
    lay("devices/system/cpu/cpu0/cpufreq/scaling_governor", "ondemand\n")
    assert board.temperature_c(tmp_path) == 51.0
    assert board.clock_mhz(tmp_path) == 1050.0
    assert board.governor(tmp_path) == "ondemand"


@pytest.mark.parametrize(("bits", "now"), [("0", False), ("50000", False), ("50005", True), ("8", True)])
def test_a_raspberry_pi_says_whether_it_is_throttled_now(lay, tmp_path, bits, now):
    lay(board.RASPBERRY_PI_THROTTLED, f"{bits}\n")
    assert board.throttled(tmp_path) is now


def test_a_board_that_does_not_tell(tmp_path):
    assert board.temperature_c(tmp_path) is None
    assert board.clock_mhz(tmp_path) is None
    assert board.governor(tmp_path) is None
    assert board.throttled(tmp_path) is None
