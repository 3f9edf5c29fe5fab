"""The systemd units: valid, hardened, and in step with the profile that the daemon's starts and with each other."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edge import firmware
from edge.update.command import NEW

PACKAGING = Path(__file__).parents[3] / "packaging"
UNIT = PACKAGING / "roomtone.service"
UPDATE, TIMER = PACKAGING / "roomtone-update.service", PACKAGING / "roomtone-update.timer"
WORST_EXPOSURE = 1.5

analyze = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


def run(*arguments):
    answer = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60)
    return answer.returncode, answer.stdout + answer.stderr


@analyze
def test_systemd_finds_nothing_to_say_about_them(tmp_path):
    copies = [tmp_path / unit.name for unit in (UNIT, UPDATE, TIMER)]
    for copy in copies:
        text = (PACKAGING / copy.name).read_text()
        copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE))
    assert run("verify", *map(str, copies)) == (0, "")  # it exits 0 on unknown keys too


@analyze
@pytest.mark.parametrize("unit", [UNIT, UPDATE], ids=lambda unit: unit.stem)
def test_it_is_hardened(unit):
    code, said = run("security", "--offline=yes", "--no-pager", f"--threshold={WORST_EXPOSURE * 10:.0f}", str(unit))
    assert code == 0, said.splitlines()[-1]


def test_the_daemon_is_reloaded_for_a_new_release_and_for_nothing_else(tmp_path):
    """The unit's own command, with a systemctl that only says that it was called."""
    told, systemctl = tmp_path / "told", tmp_path / "systemctl"
    systemctl.write_text(f'#!/bin/sh\necho "$@" >> {told}\n')
    systemctl.chmod(0o755)
    command = re.search(r"^ExecStopPost=\+/bin/sh -c '(.*)'$", UPDATE.read_text(), re.MULTILINE).group(1)
    assert re.search(rf"^SuccessExitStatus={NEW}$", UPDATE.read_text(), re.MULTILINE)
    assert re.search(r"^ExecStart=.* update --exit-code ", UPDATE.read_text(), re.MULTILINE)
    for status in ("0", "1", "2", "KILL", "", str(NEW)):
        assert not told.exists(), f"after {status}"
        environment = {"EXIT_STATUS": status, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        subprocess.run(["/bin/sh", "-c", command], env=environment, check=True)
    assert told.read_text() == "try-reload-or-restart roomtone.service\n"


def test_daemon_and_update_are_one_user_with_one_folder():
    """A dynamic user is a name: two of the same name that run at once are one."""
    for key in ("DynamicUser", "User", "StateDirectory", "StateDirectoryMode", "UMask"):
        values = {re.search(rf"^{key}=(\S+)$", unit.read_text(), re.MULTILINE).group(1) for unit in (UNIT, UPDATE)}
        assert len(values) == 1, key


def test_only_the_update_reaches_the_network():
    assert "IPAddressDeny=any" in UNIT.read_text()
    assert "IPAddress" not in UPDATE.read_text()


def test_the_wall_is_the_budget_of_its_profile():
    text = UNIT.read_text()
    profile = firmware.load(re.search(r"^Environment=.*--profile (\S+)", text, re.MULTILINE).group(1))
    assert re.search(r"^MemoryMax=(\d+)M$", text, re.MULTILINE).group(1) == str(profile.memory.budget_mib)
