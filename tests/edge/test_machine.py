"""A 32-bit system is refused with the fix, before anything that it lacks is imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from edge import cli, machine
from edge.errors import RoomtoneError

ROOT = Path(__file__).resolve().parents[2]


def test_a_32_bit_system_is_refused_with_the_fix(monkeypatch, capsys):
    monkeypatch.setattr(machine, "POINTER_BITS", 32)
    with pytest.raises(RoomtoneError, match=r"this is a 32-bit system \(.*\), .*; install a 64-bit one"):
        machine.require_64_bit()
    assert cli.main(["doctor"]) == 1
    assert "32-bit system" in capsys.readouterr().err


def test_this_system_is_not_refused():
    assert sys.maxsize > 1 << 32
    machine.require_64_bit()


def test_it_is_refused_without_numpy():
    program = ("import sys; sys.modules['numpy'] = None; from edge import machine; machine.POINTER_BITS = 32; "
               "from edge.cli import main; sys.exit(main(['recommend', 'song.ogg']))")
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "install a 64-bit one" in done.stderr
