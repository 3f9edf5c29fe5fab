import numpy as np

from benchmarks.timing import Timing, interleave


def test_every_case_is_warmed_up_and_then_called_once_a_round_in_rotating_order():
    calls = []
    timings = interleave({name: lambda name=name: calls.append(name) for name in "abc"}, repeats=4, warmup=2)
    assert "".join(calls) == "aabbcc" + "abc" + "bca" + "cab" + "abc"
    assert {name: len(timing.wall_s) for name, timing in timings.items()} == {"a": 4, "b": 4, "c": 4}


def test_median_and_tail_come_from_the_samples():
    timing = Timing(wall_s=np.array([0.001, 0.002, 0.100]), cpu_s=np.array([0.001, 0.001, 0.004]))
    figures = timing.figures_ms()
    assert (figures["median_ms"], figures["cpu_median_ms"]) == (2.0, 1.0)
    assert 90 < figures["p99_ms"] <= 100


def test_time_is_measured_in_seconds():
    timings = interleave({"busy": lambda: sum(range(200_000))}, repeats=3, warmup=0)
    assert 1e-5 < timings["busy"].median_s < 5
    assert timings["busy"].cpu_median_s > 1e-5


def test_nothing_to_time():
    assert interleave({}) == {}
