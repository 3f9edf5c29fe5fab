"""A real daemon whose surroundings fail: each time it goes on with less, says why, and nothing is corrupted."""

import os
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from edge.recommend.history import History
from edge.update import pointer
from edge.update.pointer import Pointer

BELLS = "track:tiny/bells"
YEAR_S = 365 * 86400
JUMPING_CLOCK = """
import time
wall_clock = time.time
time.time = lambda: wall_clock() + int(open('{offset}').read() or 0)
"""
"""Python's wall clock, which is the only one that the daemon reads, set by a file. Other clocks do not jump."""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")


@pytest.fixture
def bells(home):
    return ("--audio", f"file:{home.tunes[BELLS]}")


def tell(client, name):
    return client.post("/v1/feedback", json={"id": name, "item": BELLS, "event": "play", "user": "anna"})


def recommends(client):
    return bool(client.get("/v1/recommendations").json()["recommendations"])


def kept(folder):
    with History(folder / "state" / "history.db") as history:
        return [event.id for event in history.events("anna")]


@pytest.fixture
def small_disk(tmp_path):
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(state)], capture_output=True)
    if done.returncode:
        pytest.skip("this machine does not let us mount a small disk")
    yield state
    subprocess.run(["umount", "-l", str(state)], check=True)


@as_root
def test_a_full_disk_refuses_feedback_with_the_reason_and_goes_on(running, tmp_path, small_disk, bells, wait_until):
    with running(tmp_path, *bells) as daemon, daemon.client() as client:
        assert tell(client, "before").status_code == 200
        filler = small_disk / "filler"
        subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=4096"], capture_output=True)
        answers = [tell(client, f"full-{number}") for number in range(40)]
        refused = [answer for answer in answers if answer.status_code != 200]
        assert refused
        assert all(answer.status_code == 503 for answer in refused)
        assert "room" in refused[-1].json()["error"]["message"]
        assert client.post("/v1/mute", json={"muted": True}).json()["muted"], "mute is obeyed, if not remembered"
        assert client.post("/v1/mute", json={"muted": False}).status_code == 200
        assert recommends(client)
        filler.unlink()
        assert tell(client, "after").status_code == 200
        acknowledged = [f"full-{number}" for number, answer in enumerate(answers) if answer.status_code == 200]
        assert daemon.stop() == 0
    assert kept(tmp_path) == ["before", *acknowledged, "after"]


def remount(disk, how):
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


@as_root
def test_a_read_only_state_refuses_feedback_with_the_reason_and_goes_on(
    running, tmp_path, small_disk, bells, wait_until
):
    """What the household liked before still counts; once the disk can be written, feedback is kept again."""
    with running(tmp_path) as daemon, daemon.client() as client:
        for number in range(5):
            assert tell(client, f"before-{number}").status_code == 200
        liked = client.get("/v1/recommendations?user=anna").json()["recommendations"]
        daemon.stop(signal.SIGKILL)  # the log of the database stays, as after a power cut
    remount(small_disk, "ro")
    with running(tmp_path, *bells) as daemon, daemon.client() as client:
        wait_until(lambda: client.get("/v1/status").json()["audio"]["frames"])
        feedback = client.get("/v1/status").json()["feedback"]
        assert not feedback["durable"]
        assert "Read-only file system" in feedback["reason"]
        assert "roomtone_feedback_durable 0.0" in client.get("/metrics").text
        answer = tell(client, "refused")
        assert (answer.status_code, answer.json()["error"]["message"]) == (503, feedback["reason"])
        assert client.delete("/v1/users/anna").status_code == 503, "what is not erased is not called forgotten"
        assert client.post("/v1/mute", json={"muted": True}).json()["muted"], "mute is obeyed, if not remembered"
        wait_until(lambda: client.get("/v1/status").json()["audio"]["state"] == "muted")
        listed = client.get("/v1/recommendations?user=anna").json()["recommendations"]
        assert any("you" in reason for row in listed for reason in row["reasons"]), "what was kept before counts"
        assert {row["item"] for row in listed} == {row["item"] for row in liked}
        remount(small_disk, "rw")
        assert tell(client, "after").status_code == 200
        assert client.get("/v1/status").json()["feedback"] == {"durable": True, "reason": None}
        assert daemon.stop() == 0
    assert kept(tmp_path) == [*(f"before-{number}" for number in range(5)), "after"]


@as_root
def test_a_read_only_state_keeps_the_release_in_use(home, process, tmp_path, small_disk):
    """Not what came with Roomtone: a step back that nobody asked for."""
    updates = small_disk / "updates"
    release = updates / "releases" / "7+abc"
    shutil.copytree(home.bundle, release / "bundle")
    shutil.copytree(home.catalog, release / "catalog")
    pointer.write(updates, Pointer("7+abc"))
    remount(small_disk, "ro")
    arguments = ("--profile", "workstation", "--engine", "onnx", "--keys", home.keys, "--state", small_disk,
                 "--audio", "none", "--listen", "127.0.0.1:0")
    with process.running(tmp_path, *arguments) as daemon, daemon.client() as client:
        assert client.get("/v1/status").json()["bundle"] == "tiny 1"
        assert daemon.stop() == 0


def damage(path, sizes=4096):
    """Overwrite every second page after the first."""
    with path.open("r+b") as file:
        for start in range(sizes, path.stat().st_size, 2 * sizes):
            file.seek(start)
            file.write(b"\xa5" * sizes)


def test_a_corrupted_page_of_the_snapshot_is_refused_at_the_start(running, home, tmp_path):
    catalog = shutil.copytree(home.catalog, tmp_path / "catalog")
    damage(catalog / "items.sqlite")
    with pytest.raises(AssertionError, match=r"items\.sqlite"), running(tmp_path, "--catalog", catalog):
        pass


def test_a_page_that_is_corrupted_later_is_said_and_the_rest_works(running, home, tmp_path):
    """The catalogue is read in place, as an SD card goes bad under a daemon that runs for months."""
    catalog = shutil.copytree(home.catalog, tmp_path / "catalog")
    with running(tmp_path, "--catalog", catalog) as daemon, daemon.client() as client:
        damage(catalog / "items.sqlite")
        answers = [client.get(path) for path in ("/v1/search?q=bells", f"/v1/items/{BELLS}", "/v1/recommendations")]
        assert {answer.status_code for answer in answers} <= {200, 503}
        assert client.get("/healthz").status_code == 200
        assert client.get("/v1/status").status_code == 200
        assert "internal" not in " ".join(answer.text for answer in answers)
        assert daemon.stop() == 0


def test_exhausted_descriptors_turn_clients_away_and_pass(running, tmp_path, bells, wait_until):
    with running(tmp_path, *bells) as daemon, daemon.client() as client:
        wait_until(lambda: client.get("/v1/status").json()["audio"]["frames"])
        open_now = len(list(Path(f"/proc/{daemon.process.pid}/fd").iterdir()))
        before = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (open_now, before[1]))
        frames = client.get("/healthz").json() and client.get("/v1/status").json()["audio"]["frames"]
        answers = [tell(client, f"none-{number}") for number in range(5)]
        assert {answer.status_code for answer in answers} <= {200, 503}
        answer = client.get("/v1/recommendations")
        assert answer.status_code in (200, 503), daemon.log
        time.sleep(0.3)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, before)
        with daemon.client() as fresh:
            assert recommends(fresh)
            assert tell(fresh, "after").status_code == 200
            assert fresh.get("/v1/status").json()["audio"]["frames"] > frames, "the pipeline went on"
        assert daemon.stop() == 0
    acknowledged = [f"none-{number}" for number, answer in enumerate(answers) if answer.status_code == 200]
    assert kept(tmp_path) == [*acknowledged, "after"]


@pytest.mark.parametrize("jump_s", [YEAR_S, -YEAR_S])
def test_a_clock_that_jumps_a_year(running, tmp_path, bells, jump_s, wait_until):
    offset = tmp_path / "offset"
    offset.write_text("0")
    (tmp_path / "sitecustomize.py").write_text(JUMPING_CLOCK.format(offset=offset))
    environment = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', str(Path.cwd()))}"}
    with running(tmp_path, *bells, environment=environment) as daemon, daemon.client() as client:
        tell(client, "before")
        wait_until(lambda: client.get("/v1/status").json()["audio"]["frames"])
        offset.write_text(str(jump_s))
        frames = client.get("/v1/status").json()["audio"]["frames"]
        assert tell(client, "after").status_code == 200
        wait_until(lambda: client.get("/v1/status").json()["audio"]["frames"] > frames)
        assert recommends(client)
        assert client.get("/healthz").json()["ok"]
        assert daemon.stop() == 0
        assert "Traceback" not in daemon.log
    with History(tmp_path / "state" / "history.db") as history:
        before, after = history.events("anna")
    assert (before.id, after.id) == ("before", "after"), "in the order of their arrival"
    assert after.time_s - before.time_s == pytest.approx(jump_s, abs=60)
    with running(tmp_path, *bells) as daemon, daemon.client() as client:
        assert recommends(client)
