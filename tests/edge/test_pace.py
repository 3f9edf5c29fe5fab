from edge import pace as pace_module
from edge.pace import Pace


def test_waits_for_what_is_left_and_never_backwards(monkeypatch):
    now, slept = [100.0], []
    monkeypatch.setattr(pace_module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(pace_module.time, "sleep", slept.append)
    pace = Pace()
    pace.wait_until(0.0)
    now[0] = 100.5
    pace.wait_until(2.0)
    now[0] = 105.0
    pace.wait_until(3.0)
    assert slept == [0.0, 1.5, 0.0]
