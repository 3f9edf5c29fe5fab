"""A short run of schemathesis_api.py, all checks; the long one: python tests/faults/schemathesis_api.py."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("schemathesis_api.py")


@pytest.mark.skipif(not shutil.which("schemathesis"), reason="pip install schemathesis")
def test_the_api_is_what_its_document_says():
    done = subprocess.run([sys.executable, SCRIPT, "--examples", "10"], capture_output=True, text=True, timeout=600,
                          check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "failure" not in done.stdout.splitlines()[-1]
