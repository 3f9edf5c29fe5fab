"""What an attacker who owns the server, or one of the keys, can do to a device: nothing.

The attacks of section 1.5.2 of The Update Framework's specification, each with a repository made for it.
"""

import datetime
import functools
import http.server
import shutil
import threading

import pytest
from tuf.api.metadata import Metadata, MetaFile, TargetFile

from edge.errors import ExportError, UpdateError
from edge.update import repository
from export.publish.keys import signer

LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


class Attacker:
    """Writes metadata with whatever keys it has."""

    def __init__(self, shop):
        self.folder, self.keys = shop.site / "metadata", shop.made.keys

    def read(self, name):
        return Metadata.from_file(str(self.folder / name))

    def write(self, name, metadata, *keys):
        metadata.signatures.clear()
        for key in keys:
            metadata.sign(signer(self.keys[key]), append=True)
        (self.folder / name).write_bytes(metadata.to_bytes())
        return metadata

    def point_at(self, version, key, **changes):
        """A timestamp for a snapshot version."""
        timestamp = self.read("timestamp.json")
        timestamp.signed.version += 1
        content = (self.folder / f"{version}.snapshot.json").read_bytes()
        timestamp.signed.snapshot_meta = MetaFile.from_data(version, content, ["sha256"])
        for name, value in changes.items():
            setattr(timestamp.signed, name, value)
        self.write("timestamp.json", timestamp, key)

    def offer(self, targets, *, key, timestamp_key=None, version=1):
        """New targets, the snapshot of them and the timestamp of that, all signed by ``key``."""
        made = self.read(f"{version}.targets.json")
        made.signed.version += 1
        made.signed.targets = targets
        content = self.write(f"{version + 1}.targets.json", made, key).to_bytes()
        snapshot = self.read(f"{version}.snapshot.json")
        snapshot.signed.version += 1
        snapshot.signed.meta["targets.json"] = MetaFile.from_data(version + 1, content, ["sha256"])
        self.write(f"{version + 1}.snapshot.json", snapshot, key)
        self.point_at(version + 1, timestamp_key or key)


@pytest.fixture
def attacker(updated):
    return Attacker(updated)


@pytest.fixture
def refused(updated):
    """``refused(words)``: an update is, with these words, and the device goes on with what it had."""
    before = updated.in_use()

    def check(words, url=None):
        with pytest.raises(UpdateError, match=words):
            updated.update(url)
        assert updated.start() == before

    return check


def evil(attacker):
    """A release.json that nobody published, stored where a device would look for it."""
    content = b'{"format": 1, "version": "evil", "bundle": {}, "catalog": {}, "self_test": {}}'
    target = TargetFile.from_data("release.json", content, ["sha256"])
    (attacker.folder.parent / "targets" / f"{target.hashes['sha256']}.release.json").write_bytes(content)
    return {"release.json": target}


def test_rollback_of_everything(updated, refused):
    old = updated.folder / "old"
    shutil.copytree(updated.site, old)
    updated.publish("2", sequence=2)
    updated.update()
    updated.prove()
    newer = updated.in_use()
    shutil.rmtree(updated.site)
    old.rename(updated.site)
    with pytest.raises(UpdateError, match="BadVersionNumberError"):
        updated.update()
    assert updated.start() == newer


def test_rollback_of_the_snapshot_with_a_stolen_timestamp_key(updated, attacker):
    updated.publish("2", sequence=2)
    updated.update()
    updated.prove()
    newer = updated.in_use()
    attacker.point_at(1, "release")
    with pytest.raises(UpdateError, match="BadVersionNumberError"):
        updated.update()
    assert updated.start() == newer


def test_freeze_with_metadata_that_has_expired(attacker, refused):
    attacker.point_at(1, "release", expires=LONG_AGO)
    refused("ExpiredMetadataError")


def test_freeze_with_targets_that_have_expired(updated, attacker, refused):
    made = attacker.read("1.targets.json")
    made.signed.expires = LONG_AGO
    content = attacker.write("1.targets.json", made, "release").to_bytes()
    snapshot = attacker.read("1.snapshot.json")
    snapshot.signed.version += 1
    made.signed.version += 1
    content = attacker.write("2.targets.json", made, "release").to_bytes()
    snapshot.signed.meta["targets.json"] = MetaFile.from_data(2, content, ["sha256"])
    attacker.write("2.snapshot.json", snapshot, "release")
    attacker.point_at(2, "release")
    refused("ExpiredMetadataError")


def test_mix_and_match_of_old_targets_with_a_new_snapshot(updated, attacker, refused):
    updated.publish("2", sequence=2)
    shutil.copy(attacker.folder / "1.targets.json", attacker.folder / "2.targets.json")
    refused("LengthOrHashMismatchError|BadVersionNumberError")


def test_mix_and_match_of_an_old_release_file_with_new_files(updated, attacker, refused):
    """Even the makers' own key cannot: release.json says which bytes belong to it."""
    old = attacker.read("1.targets.json").signed.targets["release.json"]
    updated.publish("2", sequence=2)
    new = attacker.read("2.targets.json").signed.targets
    renamed = TargetFile(old.length, old.hashes, "release.json")
    attacker.offer({**new, "release.json": renamed}, key="release", version=2)
    shutil.rmtree(updated.state / "updates" / "releases")  # so that it has to be fetched
    with pytest.raises(UpdateError, match="is not the file of release"):
        updated.update()
    assert updated.start().name is None


def test_other_bytes_of_the_same_length(updated, refused):
    updated.publish("2", sequence=2)
    for path in (updated.site / "targets" / "bundle").glob("*.manifest.sig"):
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    refused("LengthOrHashMismatchError")


def test_more_bytes_than_announced(updated, refused):
    updated.publish("2", sequence=2)
    for path in (updated.site / "targets" / "bundle").glob("*.manifest.sig"):
        path.write_bytes(path.read_bytes() + b"x")
    refused("DownloadLengthMismatchError|LengthOrHashMismatchError")


def test_a_file_that_is_withheld(updated, refused):
    updated.publish("2", sequence=2)
    for path in (updated.site / "targets" / "bundle").glob("*.manifest.sig"):
        path.unlink()
    refused("there is no such file")


def test_targets_signed_by_a_stranger(attacker, refused):
    attacker.offer(evil(attacker), key="stranger")
    refused("UnsignedMetadataError")


def test_targets_signed_with_a_stolen_timestamp_key(shop):
    """The key that lies on a server cannot make a release."""
    shop.publish("1", sequence=1, timestamp="timestamp")
    shop.update()
    before, attacker = shop.in_use(), Attacker(shop)
    attacker.offer(evil(attacker), key="timestamp")
    with pytest.raises(UpdateError, match="UnsignedMetadataError"):
        shop.update()
    assert shop.start().name == before.name


def test_a_stolen_release_key_ends_with_the_next_root(updated, attacker, refused):
    before = updated.in_use()
    updated.renew(root=("root",), release="release2")
    attacker.offer(evil(attacker), key="release", version=2)
    refused("UnsignedMetadataError")
    with pytest.raises(ExportError, match="not signed with its own keys"):
        updated.renew(release="release2")  # or the makers would sign what the attacker offers
    updated.publish("2", sequence=2, release="release2")
    assert updated.update().new
    assert updated.in_use() != before


def test_a_root_that_only_its_own_new_keys_signed(attacker, refused):
    root = attacker.read("1.root.json")
    root.signed.version = 2
    stranger = signer(attacker.keys["stranger"])
    root.signed.add_key(stranger.public_key, "root")
    root.signed.add_key(stranger.public_key, "targets")
    attacker.write("2.root.json", root, "stranger")
    refused("UnsignedMetadataError")


def test_root_keys_are_replaced_only_by_those_before_them(updated):
    updated.renew(root=("root2",), old_root=("root",))
    updated.publish("2", sequence=2)
    assert updated.update().new
    updated.renew(root=("root2",), release="release2")
    updated.publish("3", sequence=3, release="release2")
    assert updated.update().new


def test_one_of_two_root_keys_is_not_enough(shop):
    shop.publish("1", sequence=1, root=("root", "root2"))
    folder = shop.site / "metadata"
    first = Metadata.from_file(str(folder / "1.root.json"))
    first.signed.roles["root"].threshold = 2
    attacker = Attacker(shop)
    attacker.write("1.root.json", first, "root", "root2")
    shutil.copy(folder / "1.root.json", shop.root)
    shop.update()
    first.signed.version = 2
    attacker.write("2.root.json", first, "root")
    with pytest.raises(UpdateError, match="UnsignedMetadataError"):
        shop.update()
    attacker.write("2.root.json", first, "root", "root2")
    assert not shop.update().new


def test_the_repository_of_other_makers(updated, made, refused):
    shutil.rmtree(updated.site)
    updated.site.mkdir()  # not the first, so that the device's root stays
    updated.publish("2", root=("stranger",), release="stranger", sequence=2)
    refused("UnsignedMetadataError")


class Endless(http.server.BaseHTTPRequestHandler):
    """Sends for as long as somebody reads."""

    pause_s = 0.0
    piece = b" " * 65536

    def __init__(self, *arguments, ended, **settings):
        self.ended = ended
        super().__init__(*arguments, **settings)

    def do_GET(self):
        if "root" in self.path:
            return self.send_error(404)
        self.send_response(200)
        self.end_headers()
        try:
            while not self.ended.wait(self.pause_s):
                self.wfile.write(self.piece)
        except OSError:
            pass

    def log_message(self, *_):
        pass


class Trickle(Endless):
    pause_s = 0.02
    piece = b" "


@pytest.fixture
def serve():
    ended, servers = threading.Event(), []

    def start(handler):
        made = functools.partial(handler, ended=ended)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), made)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    ended.set()
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def test_endless_data(refused, serve):
    refused("DownloadLengthMismatchError", serve(Endless))


def test_slow_retrieval(refused, serve, monkeypatch):
    monkeypatch.setattr(repository, "PATIENCE_S", 0.2)
    refused("SlowRetrievalError", serve(Trickle))
