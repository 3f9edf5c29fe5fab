"""A small run of kill_catalog.py; the one of 10,000 files: python tests/faults/kill_catalog.py --files 10000."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("kill_catalog.py")


def test_a_build_that_is_killed_again_and_again_ends_in_the_same_snapshot():
    done = subprocess.run([sys.executable, SCRIPT, "--files", "40", "--kills", "3", "--workers", "1", "--json"],
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout, done.stderr[-3000:]
    result = json.loads(done.stdout)
    assert result["same_snapshot"] is True
    assert result["files"] == 40
