"""A peer's side of benchmarks/remote.py: does its work once for each line on stdin, and says what that took."""

import json
import sys
import time
from collections.abc import Callable


def serve(work: Callable[[], object]) -> None:
    """Says ``ready``, then answers each line with the seconds that the work took: [wall, CPU of all threads]."""
    print("ready", flush=True)
    for _ in sys.stdin:
        cpu, wall = time.process_time_ns(), time.perf_counter_ns()
        work()
        wall, cpu = time.perf_counter_ns() - wall, time.process_time_ns() - cpu
        print(json.dumps([wall / 1e9, cpu / 1e9]), flush=True)
