"""A real daemon whose memory runs short: work is left out in the stated order, said everywhere, and taken up again."""

import os
import re
import time
from pathlib import Path

import pytest

from edge.daemon.shedding import SHED_ABOVE
from edge.demo import clips
from edge.firmware import MIB
from edge.memory import measured
from tests.edge.video import films

ORDER = ["shortlist", "pictures", "readers", "sight"]
BUDGET_MIB = 300
LOOKS_S = 3
"""Some thirty looks: the next one measures what the last step saved, and would take the ballast for that."""
LOADED = """
import mmap, sys, threading, time

def hold():
    held = None
    while True:
        time.sleep(0.02)
        if 'edge.daemon.watch' in sys.modules:
            sys.modules['edge.daemon.watch'].LOOK_EVERY_S = 0.1
        wanted = int(open('{ballast}').read() or 0)
        if wanted != (len(held) if held else 0):
            held = None
            if wanted:
                held = mmap.mmap(-1, wanted, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
                held.write(bytes([1]) * wanted)

threading.Thread(target=hold, daemon=True).start()
"""
"""A daemon that holds as many bytes more as a file says, and looks at its memory ten times a second."""


@pytest.fixture
def profile(tmp_path):
    text = (Path(__file__).parents[2] / "firmware_profiles" / "rpi-4-tv.toml").read_text()
    path = tmp_path / "small.toml"
    path.write_text(re.sub(r"^budget_mib = \d+$", f"budget_mib = {BUDGET_MIB}", text, flags=re.MULTILINE))
    return path


@pytest.fixture
def ballast(tmp_path):
    """Writes how many bytes more are to be held."""
    path = tmp_path / "ballast"
    path.write_text("0")
    (tmp_path / "sitecustomize.py").write_text(LOADED.format(ballast=path))
    return lambda held_bytes: (tmp_path / "new").write_text(str(held_bytes)) and (tmp_path / "new").rename(path)


def test_work_is_left_out_in_order_and_taken_up_again(process, tmp_path, profile, ballast, wait_until):
    film = films.write(tmp_path / "film.mkv", films.at_25_a_second(25 * 40))
    sound = next(clip for clip in clips() if clip.suffix == ".ogg")
    environment = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', str(Path.cwd()))}"}
    arguments = ("--profile", profile, "--audio", f"file:{sound}", "--video", f"file:{film}",
                 "--state", tmp_path / "state", "--listen", "127.0.0.1:0")
    with process.running(tmp_path, *arguments, environment=environment) as daemon, daemon.client() as client:
        def status():
            return client.get("/v1/status").json()

        def left_out():
            return [shed["work"] for shed in status()["shed"]]

        wait_until(lambda: status()["video"]["state"] == "live")
        assert left_out() == []
        used_bytes = measured(Path(f"/proc/{daemon.process.pid}"))["pss_bytes"]
        ballast(int((SHED_ABOVE + 0.06) * BUDGET_MIB * MIB) - used_bytes)
        wait_until(lambda: left_out() == ORDER)
        for shed in status()["shed"]:
            assert re.search(rf": \d+\.\d MiB of the budget of {BUDGET_MIB} MiB are used", shed["reason"])
            assert re.search(rf'roomtone_shed\{{work="{shed["work"]}",reason="{re.escape(shed["reason"])}"\}} 1',
                             client.get("/metrics").text)
            assert f"left out: {shed['reason']}" in daemon.log
        wait_until(lambda: status()["video"]["state"] == "shed")
        assert client.get("/healthz").json()["ok"], "what is left out on purpose is no fault"
        assert len(client.get("/v1/recommendations").json()["recommendations"]) == 10, "lists go on"
        time.sleep(LOOKS_S)
        ballast(0)
        wait_until(lambda: left_out() == [], seconds=60)
        wait_until(lambda: status()["video"]["state"] == "live")
        assert "roomtone_shed{" not in client.get("/metrics").text
        assert daemon.stop() == 0
        assert re.findall(r"taken up again: (\w+)", daemon.log) == ORDER[::-1]
        assert "Traceback" not in daemon.log
