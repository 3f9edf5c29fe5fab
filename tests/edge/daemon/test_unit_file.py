"""The systemd unit: valid, hardened, and in step with the profile that it starts."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edge import firmware

UNIT = Path(__file__).parents[3] / "packaging" / "roomtone.service"
WORST_EXPOSURE = 1.5

analyze = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


def run(*arguments):
    answer = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60)
    return answer.returncode, answer.stdout + answer.stderr


@analyze
def test_systemd_finds_nothing_to_say_about_it(tmp_path):
    copy = tmp_path / UNIT.name
    copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(), flags=re.MULTILINE))
    assert run("verify", str(copy)) == (0, "")  # it exits 0 on unknown keys too


@analyze
def test_it_is_hardened():
    code, said = run("security", "--offline=yes", "--no-pager", f"--threshold={WORST_EXPOSURE * 10:.0f}", str(UNIT))
    assert code == 0, said.splitlines()[-1]


def test_the_wall_is_the_budget_of_its_profile():
    text = UNIT.read_text()
    profile = firmware.load(re.search(r"^Environment=.*--profile (\S+)", text, re.MULTILINE).group(1))
    assert re.search(r"^MemoryMax=(\d+)M$", text, re.MULTILINE).group(1) == str(profile.memory.budget_mib)
