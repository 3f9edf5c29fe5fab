"""The install scripts in a root that is thrown away: twice is as once, what was set and learned stays until --purge."""

import subprocess
from pathlib import Path

import pytest

from edge import firmware

PACKAGING = Path(__file__).parents[3] / "packaging"


def script(name, *arguments):
    return subprocess.run(["sh", str(PACKAGING / name), *map(str, arguments)], capture_output=True, text=True)


def files(root):
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("profile", firmware.names())
def test_installing_twice_is_as_once_and_the_wall_is_the_profiles(tmp_path, profile):
    for _ in range(2):
        done = script("install.sh", "--root", tmp_path, "--profile", profile, "--package", "none")
        assert (done.returncode, done.stderr) == (0, "")
    found = files(tmp_path)
    wall = f"MemoryMax={firmware.load(profile).memory.budget_mib}M"
    assert wall in found["etc/systemd/system/roomtone.service.d/memory.conf"]
    assert found["etc/systemd/system/roomtone.service"] == (PACKAGING / "roomtone.service").read_text()
    assert f"--profile {profile}" in found["etc/default/roomtone"]


def test_what_was_set_and_learned_stays_until_it_is_purged(tmp_path):
    settings, history = tmp_path / "etc/default/roomtone", tmp_path / "var/lib/private/roomtone/history.db"
    script("install.sh", "--root", tmp_path, "--package", "none")
    settings.write_text("ROOMTONE_OPTIONS=mine")
    history.parent.mkdir(parents=True)
    history.write_text("events")
    script("install.sh", "--root", tmp_path, "--package", "none")
    assert settings.read_text() == "ROOMTONE_OPTIONS=mine"
    for _ in range(2):
        assert script("uninstall.sh", "--root", tmp_path).returncode == 0
    assert files(tmp_path).keys() == {"etc/default/roomtone", "var/lib/private/roomtone/history.db"}
    assert script("uninstall.sh", "--root", tmp_path, "--purge").returncode == 0
    assert files(tmp_path) == {}


@pytest.mark.parametrize("name", ["install.sh", "uninstall.sh"])
def test_an_unknown_option_is_said(tmp_path, name):
    done = script(name, "--rot", tmp_path)
    assert done.returncode == 2
    assert "unknown option --rot" in done.stderr


def test_an_unknown_profile_is_said(tmp_path):
    done = script("install.sh", "--root", tmp_path, "--profile", "toaster", "--package", "none")
    assert (done.returncode, files(tmp_path)) == (2, {})


def test_updates_are_asked_for_by_name_and_leave_with_the_rest(tmp_path):
    arguments = ("--root", tmp_path, "--profile", "rpi-4-tv", "--package", "none")
    script("install.sh", *arguments)
    assert "etc/default/roomtone-update" not in files(tmp_path), "no network unless it was asked for"
    for url in ("https://updates.example.org", "https://other.example.org"):
        assert script("install.sh", *arguments, "--updates", url).returncode == 0
    found = files(tmp_path)
    assert found["etc/default/roomtone-update"] == (
        'ROOMTONE_UPDATE_OPTIONS="--url https://updates.example.org --profile rpi-4-tv"\n'), "what was set stays"
    assert found["etc/systemd/system/roomtone-update.timer"] == (PACKAGING / "roomtone-update.timer").read_text()
    script("uninstall.sh", "--root", tmp_path, "--purge")
    assert files(tmp_path) == {}
