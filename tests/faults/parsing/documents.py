"""Small documents: manifests, signatures, keys, releases, the state's own files, settings, events, ratings."""

import io
import json
import shutil
from pathlib import Path

from edge import firmware, installed, trust
from edge.bundle import Bundle, open_bundle
from edge.daemon import listen, versions
from edge.errors import UsageError
from edge.recommend.exchange import import_lines
from edge.recommend.history import Event, History
from edge.recommend.standin import open_kept
from edge.trust import Trust
from edge.update import pointer, release
from edge.update.pointer import Pointer
from edge.verified import Verified
from export.collaborative.ratings import read_ratings
from export.manifest import seal
from export.quantize import frontends
from export.signing import make_keys, sign
from tests.faults.parsing.parser import Opened, Parser, file_of

MODEL = {"files": {"litert": "a.tflite"}, "input_shape": [1, 9, 5], "parity": {},
         "outputs": [{"view": "audio", "dimension": 4, "space": "a@1"}],
         "frontend": {"kind": "mfcc", "constants": "a.npz"}}
BUNDLE = {"format": 1, "name": "fuzz", "version": "1", "sequence": 3, "expires": "2999-12-31",
          "models": {"audio": MODEL}}
EVENTS = ({"id": "1", "user": "anna", "item": "track:1", "event": "like", "value": None, "time_s": 1.7e9},
          {"id": "2", "user": "北京", "item": "track:2", "event": "dwell", "value": 3.5, "time_s": None})
RATINGS = (b"user,item,rating,timestamp\n1,10,4.5,1700000000\n2,11,3,1700000001\n",
           b"user\titem\trating\ttimestamp\ttitle\na\tb\t1\t1\tA title\nc\td\t2\t2\tAnother\n")
FRONT_ENDS = (("audio", b"frames = 300\nlevel_normalised = true\nlimit = 0.0\n"),
              ("video", b"height = 64\nwidth = 64\nmean = [127, 127, 127]\nstd = [128, 128, 128]\n"))


def _sealed(folder: Path) -> Path:
    sealed = folder / "bundle"
    sealed.mkdir()
    (sealed / "a.tflite").write_bytes(b"model")
    (sealed / "a.npz").write_bytes(b"constants")
    seal(sealed, BUNDLE)
    return sealed


def _manifest(folder: Path) -> Opened:
    sealed = _sealed(folder)
    content = (sealed / "manifest.json").read_bytes()
    return [("", content)], file_of(sealed, "manifest.json", lambda _: open_bundle(
        sealed, trust=Trust({}, unsigned_allowed=True)))


def _signature(folder: Path) -> Opened:
    sealed, keys = _sealed(folder), folder / "keys"
    keys.mkdir()
    sign(sealed, make_keys(keys / "maker").secret)
    trusted = trust.load_trust(keys)
    seed = (sealed / trust.SIGNATURE_NAME).read_bytes()
    return [("", seed)], file_of(sealed, trust.SIGNATURE_NAME, lambda _: open_bundle(sealed, trust=trusted))


def _key(folder: Path) -> Opened:
    seed = make_keys(folder / "made").public.read_bytes()
    (folder / "keys").mkdir()
    return [("", seed)], file_of(folder / "keys", "a.pub", lambda path: trust.load_trust(path.parent))


def _release(folder: Path) -> Opened:
    digest = "ab" * 32
    document = {"format": 1, "version": "2026.11", "bundle": {"audio.tflite": digest, "manifest.json": digest},
                "catalog": {"items.sqlite": digest},
                "self_test": {"outputs": {"audio": {"audio": [0.1, -0.5]}}, "nearest": {"audio": "track:1"},
                              "words": {"text": "battle", "item": "track:1"}}}
    return [("", json.dumps(document).encode())], lambda _, content: release.parse(content)


def _pointer(folder: Path) -> Opened:
    pointer.write(folder, Pointer("2026.11+abc", "2026.10+def", False, 2, {"2026.09+0": "its bundle does not open"}))
    seed = (folder / pointer.FILE_NAME).read_bytes()
    return [("", seed)], file_of(folder, pointer.FILE_NAME, lambda _: pointer.read(folder))


def _installed(folder: Path) -> Opened:
    seed = b'{"roomtone-default": 7, "other": 0}'

    def parse(_: Path) -> None:
        installed.accept(folder, Bundle(folder, "roomtone-default", "1", {}, sequence=9))

    return [("", seed)], file_of(folder, installed.FILE_NAME, parse)


def _versions(folder: Path) -> Opened:
    seed = b'{"bundle": {"a 1": 1700000000.0}, "snapshot": {"b 2": 1700000001.5}}'
    return [("", seed)], file_of(folder, versions.FILE_NAME, lambda _: versions.used_since(
        folder, {"bundle": "a 1", "snapshot": "b 3"}))


def _verified(folder: Path) -> Opened:
    sealed, path = _sealed(folder), folder / "verified.json"
    seen = {"manifest": "ab", "changed_ns": 1, "files": {"a.npz": [1, 2, 3, 4, 5, 6]}}
    seed = json.dumps({"time_s": 1.7e9, "seen": seen}).encode()
    return [("", seed)], file_of(folder, path.name, lambda _: Verified(path).look(sealed, b"manifest", ["a.npz"]))


def _profile(folder: Path) -> Opened:
    seeds = [(name, (firmware.PROFILES_DIR / f"{name}.toml").read_bytes()) for name in firmware.names()]
    return seeds, file_of(folder, "mine.toml", firmware.load)


def _front_end(folder: Path) -> Opened:
    path = folder / "frontend.toml"

    def parse(kind: str, content: bytes) -> None:
        path.write_bytes(content)
        frontends.front_end(kind, frontends.read_settings(path, []))

    return list(FRONT_ENDS), parse


def _history(folder: Path) -> Opened:
    """A file of events that ``roomtone history import`` takes in; refused lines are told, not raised."""
    history = History(folder / "history.db")

    def parse(_key: str, content: bytes) -> None:
        done = import_lines(history, io.BytesIO(content))
        if done.refused_count:
            raise UsageError(done.refused[0][1])

    seeds = [("", json.dumps(event, ensure_ascii=False).encode()) for event in EVENTS]
    return [*seeds, ("", b"\n".join(content for _, content in seeds))], parse


def _database(folder: Path) -> Opened:
    """The history's own file, damaged: opened by the daemon, read, written, forgotten."""
    with History(folder / "seed.db") as history:
        for number, event in enumerate(("play", "like", "skip", "finish") * 9):
            history.add(Event(str(number), "anna", f"track:{number}", event, None, 1.7e9 + number))
    seed, path = (folder / "seed.db").read_bytes(), folder / "history.db"

    def parse(_: Path) -> None:
        for left_over in folder.glob("history.db-*"):
            left_over.unlink()
        with open_kept(path) as history:
            list(history.events("anna"))
            history.numbered("anna", after=0, limit=9)
            if history.refuses is None:
                history.add(Event("new", "anna", "track:1", "like", None, 1.8e9))
                history.forget("anna")

    return [("", seed)], file_of(folder, path.name, parse)


def _ratings(folder: Path) -> Opened:
    return [("", content) for content in RATINGS], file_of(
        folder, "ratings.csv", lambda path: read_ratings(path, now_s=1.8e9))


def _address(folder: Path) -> Opened:
    token = folder / "token"

    def parse(key: str, content: bytes) -> None:
        if key == "token":
            token.write_bytes(content)
            token.chmod(0o600)
            listen.read_token(token)
        else:
            listen.parse(content.decode("utf-8", "surrogateescape"))

    return [("", b"127.0.0.1:8765"), ("", b"[::1]:80"), ("", b"unix:/run/roomtone.sock"), ("token", b"0f" * 16)], parse


def _metadata(folder: Path) -> Opened:
    """The signed metadata of a repository, as a server would hand it out."""
    from tests.edge.update.shop import Shop, make

    (folder / "made").mkdir()
    shop = Shop(make(folder / "made"), folder)
    shop.publish("1", sequence=1)
    site = shop.site / "metadata"
    seeds = [(path.name, path.read_bytes()) for path in sorted(site.iterdir())]
    whole = dict(seeds)

    def parse(key: str, content: bytes) -> None:
        (site / key).write_bytes(content)
        try:
            shutil.rmtree(shop.device.updates, ignore_errors=True)
            shop.listed()
        finally:
            (site / key).write_bytes(whole[key])

    return seeds, parse


PARSERS = (
    Parser("manifest", 120, _manifest), Parser("signature", 20, _signature), Parser("key", 20, _key),
    Parser("release", 130, _release), Parser("pointer", 80, _pointer), Parser("installed", 20, _installed),
    Parser("versions", 20, _versions), Parser("verified", 20, _verified), Parser("profile", 100, _profile),
    Parser("front-end", 4, _front_end), Parser("history", 120, _history), Parser("ratings", 40, _ratings),
    Parser("database", 4, _database),
    Parser("address", 40, _address), Parser("metadata", 2, _metadata),
)
