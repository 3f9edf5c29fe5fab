"""A publisher and a device, with the real commands' own functions; also used by tests/faults/kill_update.py."""

import importlib.util
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from edge import firmware
from edge.bundle import open_bundle
from edge.catalog.snapshot import open_snapshot
from edge.trust import load_trust
from edge.update import install, trial
from edge.update.repository import METADATA, Repository
from export.publish.content import collect
from export.publish.keys import load_keys
from export.publish.publish import publish
from export.signing import make_keys, sign

TINY = Path(__file__).parents[1] / "daemon" / "tiny.py"
KEYS = ("root", "root2", "release", "release2", "timestamp", "stranger")


@dataclass(frozen=True)
class Made:
    bundle: Path
    catalog: Path
    trusted: Path
    """Folder of the keys that devices trust."""
    signer: Path
    keys: dict[str, Path]
    """Of repositories."""


def make(folder):
    specification = importlib.util.spec_from_file_location("update_tests_tiny", TINY)
    tiny = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = tiny
    specification.loader.exec_module(tiny)
    home = tiny.build(folder)
    keys = {name: make_keys(folder / f"tuf-{name}").secret for name in KEYS}
    return Made(home.bundle, home.catalog, home.keys, home.keys / "tests", keys)


class Shop:
    def __init__(self, made, folder):
        self.made, self.folder = made, folder
        self.site, self.state = folder / "site", folder / "state"
        self.root = folder / "root.json"
        self.bundle = folder / "bundle"
        shutil.copytree(made.bundle, self.bundle)
        self.device = install.Device(self.state, load_trust(made.trusted), firmware.load("workstation"), "onnx")

    def keys(self, *, root=(), old_root=(), release="release", timestamp=None):
        def paths(names):
            return [self.made.keys[name] for name in names]

        key = self.made.keys
        return load_keys(paths(root), paths(old_root), key.get(release), key.get(timestamp))

    def publish(self, version, *, sequence=0, catalog=None, **keys):
        """A release; the first one begins the repository."""
        first = not self.site.exists()
        if sequence:
            sign(self.bundle, self.made.signer, sequence=sequence)
        settings = self.keys(**{"root": ("root",) if first else (), **keys})
        content = collect(self.bundle, catalog or self.made.catalog, version)
        done = publish(self.site, content, settings, days=30)
        if first:
            shutil.copy(done.root, self.root)
        return done

    def renew(self, **keys):
        return publish(self.site, None, self.keys(**keys), days=30)

    def repository(self, url=None):
        url = self.site.as_uri() if url is None else url
        return Repository(url, root=self.root, folder=self.device.updates / METADATA)

    def update(self, url=None, **settings):
        return install.update(self.device, self.repository(url), **settings)

    def in_use(self):
        return trial.in_use(self.state)

    def prove(self):
        trial.prove(self.in_use())

    def start(self):
        """What a start of the daemon opens: the release, after everything in it was verified."""
        def run(release):
            bundle = open_bundle(release.bundle, trust=self.device.trust)
            with open_snapshot(release.catalog, spaces=bundle.spaces()) as snapshot:
                assert len(snapshot.items) > 0
            opened.append(release)
            return 0

        opened = []
        assert trial.start(self.state, run) == 0
        return opened[0]

    def listed(self):
        """The release that the repository offers, as the device reads it."""
        repository = self.repository()
        repository.refresh()
        return repository.release()


def version_of(release):
    return release.name and release.name.partition("+")[0]
