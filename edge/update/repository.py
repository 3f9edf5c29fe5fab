"""The repository that releases come from, through The Update Framework: nothing in it is believed unsigned.

python-tuf's ngclient verifies (https://theupdateframework.github.io/specification/latest/, section 5): older
metadata is a rollback, expired metadata a freeze, parts of different releases do not fit their snapshot, and a
compromised key ends with the next root. This module is imported by ``roomtone update`` alone.
"""

import contextlib
import http.client
import logging
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tuf.api.exceptions import DownloadError, DownloadHTTPError, RepositoryError, SlowRetrievalError
from tuf.api.metadata import TargetFile
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

import edge
from edge.disk import sync_tree
from edge.errors import StateError, UpdateError, UsageError
from edge.update import release

METADATA, TARGETS = "metadata", "targets"
SCHEMES = ("https://", "http://", "file://")
MAX_ROOT_BYTES = 512_000
WAIT_S = 20
"""For a connection, and between two pieces of what is sent."""
SLOWEST_BYTES_PER_S = 500
PATIENCE_S = 60.0
"""A server that is slower than SLOWEST_BYTES_PER_S is let go after this long (slow retrieval)."""
PIECE_BYTES = 1 << 16
logging.getLogger("tuf").setLevel(logging.CRITICAL)  # its messages are said in ours


class Fetcher(FetcherInterface):
    """https, http and file URLs, at no less than a crawl."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        if url.startswith("file:"):
            path = _local_path(url)
            if not path.is_file():
                raise DownloadHTTPError(f"{path}: there is no such file", 404)
            return _in_time(path.open("rb"))
        asked = urllib.request.Request(url, headers={"User-Agent": f"roomtone/{edge.__version__}"})
        try:
            return _in_time(urllib.request.urlopen(asked, timeout=WAIT_S))
        except urllib.error.HTTPError as error:
            raise DownloadHTTPError(f"{url}: {error}", error.code) from error


def _in_time(answer: Any) -> Iterator[bytes]:
    """What comes, as it comes; a whole piece that trickles in would never be seen to be late."""
    began_s, received = time.monotonic(), 0
    with answer:
        try:
            while piece := answer.read1(PIECE_BYTES):
                received += len(piece)
                passed_s = time.monotonic() - began_s
                if passed_s > PATIENCE_S and received < passed_s * SLOWEST_BYTES_PER_S:
                    raise SlowRetrievalError(f"{received} bytes in {passed_s:.0f} s")
                yield piece
        except (OSError, http.client.HTTPException) as error:
            raise DownloadError(f"after {received} bytes: {error}") from error


def _local_path(url: str) -> Path:
    return Path(urllib.request.url2pathname(urllib.parse.urlsplit(url).path))


class Repository:
    """One look at a repository; every target comes from the same signed state of it."""

    def __init__(self, url: str, *, root: Path, folder: Path):
        """``root``: the trusted root.json of its makers; ``folder``: where what was seen is remembered.

        Raises UsageError for an impossible URL or root.
        """
        if not url.startswith(SCHEMES):
            raise UsageError(f"--url {url!r:.200} must begin with https://, http:// or file://")
        self._url, self._folder = url.rstrip("/"), folder
        self._scratch = folder / "scratch"
        self._root = _read_root(root)

    def refresh(self) -> None:
        """Raises UpdateError: unreachable, unsigned, expired, rolled back; StateError when the disk refuses."""
        with self._saying("refreshed"):
            self._scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
            for left in (*self._scratch.iterdir(), *self._folder.glob("tmp*")):  # of a refresh that was killed
                left.unlink()
            self._updater = Updater(
                str(self._folder), f"{self._url}/{METADATA}/", target_base_url=f"{self._url}/{TARGETS}/",
                fetcher=Fetcher(), config=UpdaterConfig(max_root_rotations=64), bootstrap=self._root)
            self._updater.refresh()
            sync_tree(self._folder)

    def target(self, name: str) -> TargetFile:
        """Size and hashes of a target. Raises UpdateError when the repository has none of that name."""
        with self._saying("read"):
            found = self._updater.get_targetinfo(name)
        if found is None:
            raise UpdateError(f"{self._url}: the repository has no {name!r:.120}; publish the release again")
        return found

    def release(self) -> release.ReleaseFiles:
        """The newest release. Raises UpdateError, StateError."""
        target = self.target(release.FILE_NAME)
        if target.length > release.MAX_BYTES:
            raise UpdateError(f"{self._url}: {release.FILE_NAME} is larger than {release.MAX_BYTES} bytes")
        path = self._scratch / release.FILE_NAME
        self.fetch(target, path)
        return release.parse(path.read_bytes())

    def fetch(self, target: TargetFile, path: Path) -> None:
        """The bytes that were signed, at ``path``. Raises UpdateError, StateError."""
        with self._saying("fetched"):
            self._updater.download_target(target, str(path))

    @contextlib.contextmanager
    def _saying(self, done: str) -> Iterator[None]:
        """Turn what tuf and the disk raise into one sentence."""
        usual = tempfile.tempdir
        tempfile.tempdir = str(self._scratch)  # beside the releases: /tmp is memory on many a device
        try:
            yield
        except (RepositoryError, DownloadError, ValueError) as error:
            raise UpdateError(f"{self._url}: cannot be {done}: {_sentence(error)}") from error
        except OSError as error:
            raise StateError(f"{self._folder}: the update cannot be kept: {error.strerror or error}; free space, or "
                             "give access") from error
        finally:
            tempfile.tempdir = usual


def _sentence(error: BaseException) -> str:
    said = " ".join(f"{type(error).__name__}: {error}".split())
    cause = error.__cause__
    return f"{said} ({' '.join(str(cause).split())})"[:300] if cause is not None else said[:300]


def _read_root(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_ROOT_BYTES)
    except OSError as error:
        raise UsageError(f"--root {path}: cannot be read: {error.strerror or error}; copy the repository's "
                         "metadata/1.root.json there, by a way that you trust") from error
