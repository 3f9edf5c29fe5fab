"""What PortAudio loads, in processes of their own: it reads ALSA's configuration once."""

import os
import subprocess
import sys

import pytest

from edge.audio.devices import leave_out_unneeded_plugins

PROGRAM = """
from pathlib import Path
from edge.audio.devices import portaudio
portaudio()
maps = Path("/proc/self/maps").read_text()
print(*sorted(name for name in ("libportaudio", "libasound.so", "libavcodec", "libjack") if name in maps))
"""


def loaded(**environment):
    pytest.importorskip("sounddevice", reason="PortAudio is not installed", exc_type=OSError)
    clean = {key: value for key, value in os.environ.items() if "ALSA" not in key}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env={**clean, **environment}, capture_output=True, text=True,
                          check=True)
    return set(done.stdout.split())


def test_no_plugin_that_encodes_for_playback_is_loaded():
    found = loaded()
    assert "libasound.so" in found
    assert "libavcodec" not in found


def test_a_configuration_of_ones_own_is_kept(monkeypatch):
    monkeypatch.setenv("ALSA_CONFIG_PATH", "/etc/mine.conf")
    monkeypatch.delenv("ROOMTONE_ALSA_UNNEEDED", raising=False)
    leave_out_unneeded_plugins()
    assert os.environ["ALSA_CONFIG_PATH"] == "/etc/mine.conf"
    assert "ROOMTONE_ALSA_UNNEEDED" not in os.environ
