"""A few dozen of the deaths that kill_update.py is there for; more with: python tests/faults/kill_update.py."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("kill_update.py")


def test_an_update_or_a_trial_that_is_killed_leaves_a_working_bundle():
    done = subprocess.run([sys.executable, SCRIPT, "--kills", "42", "--json"], capture_output=True, text=True,
                          timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout)
    assert result["deaths"] >= 42
    assert result["calls_of_an_update"] > 50
    assert min(result[kind] for kind in ("power cuts", "kills at a call", "kills at a start")) > 5
