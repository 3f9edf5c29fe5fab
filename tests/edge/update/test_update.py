"""From publishing to a device that uses what was published, over files and over HTTP."""

import contextlib
import functools
import http.server
import json
import os
import shutil
import threading

import pytest

from edge import cli
from edge.bundle import open_bundle
from edge.errors import BudgetError, BundleError, StateError, UpdateError, UsageError
from edge.update import install, pointer, stage, trial
from export import cli as export_cli


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        self.server.asked.append(self.path)


@contextlib.contextmanager
def serving(folder, handler=Quiet):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder)))
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_is_published_is_what_a_device_gets(shop):
    shop.publish("1")
    done = shop.update()
    assert done.new
    assert done.fetched_bytes == sum(map(len, [*files(shop.bundle).values(), *files(shop.made.catalog).values()]))
    used = shop.start()
    assert used.on_trial
    assert files(used.bundle) == files(shop.bundle)
    assert files(used.catalog) == files(shop.made.catalog)


def test_over_http_only_what_changed_is_fetched(shop):
    with serving(shop.folder) as (server, url):
        shop.publish("1", sequence=1)
        shop.update(f"{url}/site/")
        shop.prove()
        again = shop.update(f"{url}/site")
        assert (again.new, again.fetched_bytes) == (False, 0)
        shop.publish("2", sequence=2)
        server.asked.clear()
        done = shop.update(f"{url}/site")
    assert done.new
    fetched = sorted(path.rpartition(".")[0].rpartition(".")[2] + path[path.rfind("."):] for path in server.asked
                     if "/targets/bundle/" in path or "/targets/catalog/" in path)
    assert fetched == ["manifest.json", "manifest.sig"]
    assert open_bundle(shop.in_use().bundle).sequence == 2


def test_the_release_before_stays_until_the_new_one_is_proved_and_then_one_more(updated):
    first = updated.in_use()
    for number in (2, 3):
        updated.publish(str(number), sequence=number)
        updated.update()
        assert first.bundle.is_dir()  # 2 was not proved when 3 came
    assert len(list(updated.device.releases.iterdir())) == 2
    updated.prove()
    updated.publish("4", sequence=4)
    updated.update()
    assert not first.bundle.is_dir()


def test_a_release_that_failed_here_is_not_tried_again_unless_asked(updated):
    before = updated.in_use()
    updated.publish("2", sequence=2)
    updated.update()
    bad = [updated.start() for _ in range(4)]
    assert bad[-1] == before
    with pytest.raises(UpdateError, match="taken back on this device: started 3 times"):
        updated.update()
    assert updated.update(again=True).new
    assert updated.in_use().on_trial


def test_a_damaged_release_gives_way_and_the_next_update_mends_it(updated):
    used = updated.in_use()
    model = used.bundle / "audio.onnx"
    whole = model.read_bytes()
    model.write_bytes(whole[:-1] + b"x")
    assert updated.start().name is None
    done = updated.update()
    assert done.new
    assert done.fetched_bytes == len(whole)
    assert updated.start().name == used.name
    assert model.read_bytes() == whole


def test_what_an_update_staged_before_it_was_cut_short_is_not_fetched_again(shop, monkeypatch):
    shop.publish("1")
    monkeypatch.setattr(install, "_test", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        shop.update()
    monkeypatch.undo()
    assert shop.start().name is None
    assert shop.update().fetched_bytes == 0


def test_a_release_that_was_named_but_not_pointed_at_is_used_as_it_lies(shop, monkeypatch):
    shop.publish("1")
    monkeypatch.setattr(pointer, "write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        shop.update()
    monkeypatch.undo()
    (named,) = shop.device.releases.iterdir()
    inode = (named / "bundle" / "manifest.json").stat().st_ino
    assert shop.update().fetched_bytes == 0
    assert (shop.in_use().bundle / "manifest.json").stat().st_ino == inode


def test_a_staged_file_is_replaced_and_never_written_through(updated):
    """A link in the staging folder is a file of the release in use."""
    used = updated.in_use()
    updated.publish("2", sequence=2)
    name = updated.listed().name
    staged = updated.device.staging / name / "bundle"
    staged.mkdir(parents=True)
    os.link(used.bundle / "audio.onnx", staged / "manifest.json")
    before = files(used.bundle)
    updated.update()
    assert files(used.bundle) == before


def test_what_does_not_belong_to_the_release_is_left_out(shop):
    shop.publish("1")
    staged = shop.device.staging / shop.listed().name / "bundle"
    staged.mkdir(parents=True)
    (staged / "extra").write_text("x")
    shop.update()
    assert not (shop.in_use().bundle / "extra").exists()


def test_too_little_room_is_said_before_anything_is_fetched(shop, monkeypatch):
    shop.publish("1")
    monkeypatch.setattr(stage.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 99, 1))
    with pytest.raises(StateError, match=r"needs \d+ bytes and the disk has 1 free"):
        shop.update()
    assert shop.start().name is None


@pytest.mark.parametrize("when", range(8))
def test_a_disk_that_is_full_at_any_write_leaves_the_release_in_use(updated, monkeypatch, when):
    before = updated.in_use()
    updated.publish("2", sequence=2)
    real, left = os.fsync, [when]

    def full(descriptor):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StateError, match="No space left on device"):
        updated.update()
    monkeypatch.undo()
    assert updated.start() == before
    assert updated.update().new


def test_a_second_update_at_the_same_time_is_refused(shop):
    with (pointer.locked(shop.device.updates, "update.lock"), pytest.raises(StateError, match="under way"),
          pointer.locked(shop.device.updates, "update.lock", wait=False)):
        pass


def test_what_does_not_fit_the_devices_memory_is_refused(updated, monkeypatch):
    before = updated.in_use()
    updated.publish("2", sequence=2)
    monkeypatch.setattr("edge.memory.PYTHON_BYTES", 1 << 30)
    with pytest.raises(BudgetError):
        updated.update()
    assert updated.start() == before


def test_an_older_bundle_is_refused_though_the_repository_offers_it(updated):
    updated.publish("2", sequence=9)
    updated.update()
    updated.prove()
    before = updated.in_use()
    shutil.rmtree(updated.site)
    updated.publish("3", sequence=8)
    shutil.rmtree(updated.device.updates / "metadata")
    with pytest.raises(UpdateError, match="sequence 8 is older than 9"):
        updated.update()
    assert updated.start() == before


def test_a_bundle_signed_by_a_key_that_the_device_does_not_trust_is_refused(updated, made):
    before = updated.in_use()
    from export.signing import sign

    sign(updated.bundle, made.keys["stranger"], sequence=2)
    updated.publish("2")
    with pytest.raises(BundleError, match="not among the 1 trusted"):
        updated.update()
    assert updated.start() == before


@pytest.mark.parametrize(("url", "said"), [
    ("ftp://example.org", "must begin with"), ("", "must begin with"), ("http://127.0.0.1:1/site", "refreshed"),
    ("file:///nowhere/at/all", "refreshed"), ("http://[::1", "must begin with|refreshed")])
def test_a_repository_that_is_not_there_is_said(updated, url, said):
    before = updated.in_use()
    with pytest.raises((UsageError, UpdateError), match=said):
        updated.update(url)
    assert updated.start() == before


def test_the_commands_from_keys_to_a_device_that_searches_the_new_catalogue(shop, made, capsys):
    folder = shop.folder
    for name in ("root", "release"):
        assert export_cli.main(["keygen", str(folder / name)]) == 0
    assert export_cli.main(
        ["publish", str(folder / "site"), "--bundle", str(made.bundle), "--catalog", str(made.catalog), "--root-key",
         str(folder / "root"), "--key", str(folder / "release"), "--version", "2026.11", "--json"]) == 0
    assert '"new_release": true' in capsys.readouterr().out
    common = ["--state", str(shop.state)]
    arguments = ["update", "--url", shop.site.as_uri(), "--root", str(shop.site / "metadata" / "1.root.json"), "--keys",
                 str(made.trusted), "--profile", "workstation", "--engine", "onnx", "--json", *common]
    assert cli.main([*arguments, "--exit-code"]) == 3
    first = json.loads(capsys.readouterr().out)
    assert first["new"] is True
    assert first["release"].startswith("2026.11+")
    assert cli.main([*arguments, "--exit-code"]) == 0
    assert json.loads(capsys.readouterr().out)["new"] is False
    assert cli.main(["search", "bells", "--json", *common]) == 0
    assert [row["title"] for row in json.loads(capsys.readouterr().out)["results"]] == ["Bells"]
    assert cli.main([*arguments[:3], "--root", str(folder / "none.json"), *common]) == 2
    assert "1.root.json" in capsys.readouterr().err
    assert trial.in_use(shop.state).name == first["release"]
