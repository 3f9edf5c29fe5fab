"""The results of a folder's files, one after another in the files' order, never all at once."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import numpy as np

from export.catalog.copies import CopyFinder
from export.catalog.embed import WINDOWS_VIEW
from export.catalog.local import Outcome, Wanted
from export.catalog.packed import Understood
from export.catalog.scan import MediaFile
from export.catalog.work import WorkFolder, result_key
from export.catalog.worker import UNDERSTOOD

OnTrouble = Callable[[str, str], object]
"""Told the name of what cannot be looked at, and why."""
Files = Callable[[OnTrouble], Iterable[MediaFile]]


class Engine(Protocol):
    """What understands files: on this machine (local.py) or on a cluster (on_ray.py). A context manager."""

    def understand(self, wanted: Iterable[Wanted]) -> Iterator[Outcome]:
        """An outcome for each file, in any order."""
        ...

    def __enter__(self) -> "Engine": ...

    def __exit__(self, *_: object) -> None: ...


class Shelf:
    def __init__(self, files: Files, identity: str, results: WorkFolder):
        """``identity``: of the models, which a result depends on as on its file."""
        self._files, self._identity, self._results = files, identity, results

    def files(self, on_trouble: OnTrouble = lambda name, reason: None) -> Iterator[Wanted]:
        """Every file under the key of its result."""
        for file in self._files(on_trouble):
            yield result_key(file, self._identity), file

    def content(self, settings: str) -> tuple[int, str]:
        """How many files there are, and a digest of them and the settings."""
        digest, count = hashlib.sha256(settings.encode("utf-8", "surrogateescape")), 0
        for key, _ in self.files():
            digest.update(key.encode())
            count += 1
        return count, digest.hexdigest()

    def fill(self, engine: Engine, advance: Callable[[], object]) -> int:
        """Understand what no earlier build did; ``advance`` is called for each file. Returns how many were there."""
        reused = 0

        def wanted() -> Iterator[Wanted]:
            nonlocal reused
            for key, file in self.files():
                if self._results.has(key):
                    reused += 1
                    advance()
                else:
                    yield key, file

        for key, (kind, content) in engine.understand(wanted()):
            if kind == UNDERSTOOD:
                self._results.keep(key, content)
            else:
                self._results.refuse(key, content.decode())
            advance()
        return reused

    def copies(self) -> dict[str, str]:
        """Key of each track that has been there before, to the key of the first that is the same recording."""
        with CopyFinder() as finder:
            for key, _ in self.files():
                windows = self._windows(key)
                if windows is not None:
                    finder.add(key, windows)
            return finder.copies(self._windows)

    def items(self, key: str) -> list[Understood]:
        """Of one file; none when it gave nothing."""
        return self._results.result(key) or []

    def why_not(self, key: str, file: MediaFile) -> str:
        """Why a file gave nothing."""
        return self._results.refusal(key) or f"{file.path}: changed while the catalogue was built; run it again"

    def _windows(self, key: str) -> np.ndarray | None:
        """The windows of a track, int8 (n, d); None for a film, and where the models have no such view."""
        items = self.items(key)
        return items[0].vectors.get(WINDOWS_VIEW) if items else None
