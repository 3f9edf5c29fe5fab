"""The understanding of many files on a Ray cluster, by Ray Data: actors that each drive a worker process.

Every node must have this version of Roomtone and see the media folder and the bundle under the same paths.
"""

import logging
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from edge.errors import ExportError, RuntimeMissingError
from export.catalog.choice import ModelChoice
from export.catalog.local import LocalEngine, Outcome, Wanted, usable_cores
from export.catalog.scan import MediaFile

CHUNK_FILES = 4096
"""So many files are handed to the cluster at once, so that a large folder's names are never all in memory."""
BATCH_FILES = 4
OBJECT_STORE_BYTES = 100 << 20
"""Of a cluster that is made here: results are small."""


class RayEngine:
    """A context manager; a cluster that was made for it ends with it."""

    def __init__(self, choice: ModelChoice, identity: str, *, address: str | None = None, workers: int | None = None):
        """``address``: of a cluster; by default one is made on this machine. ``workers``: by default one a core.

        Raises RuntimeMissingError when Ray is not installed, ExportError when there is no cluster at the address.
        """
        self._choice, self._identity = choice, identity
        self._ray, self._own = connect(address, workers)
        self._workers = workers or max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def understand(self, wanted: Iterable[Wanted]) -> Iterator[Outcome]:
        """An outcome for each file, in any order. Raises ExportError when the cluster fails."""
        context = self._ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        files = iter(wanted)
        while chunk := list(islice(files, CHUNK_FILES)):
            rows = [{"key": key, "file": file.as_json()} for key, file in chunk]
            answered = self._ray.data.from_items(rows, override_num_blocks=-(-len(rows) // BATCH_FILES)).map_batches(
                _Understander, fn_constructor_args=(self._choice, self._identity), batch_size=BATCH_FILES,
                compute=self._ray.data.ActorPoolStrategy(size=self._workers), num_cpus=1)
            try:
                for row in answered.iter_rows():
                    yield row["key"], (int(row["kind"]), row["content"])
            except self._ray.exceptions.RayError as error:
                raise ExportError(f"the Ray cluster failed: {_last_line(error)}; what was done is kept, run it "
                                  "again") from error

    def __enter__(self) -> "RayEngine":
        return self

    def __exit__(self, *_: object) -> None:
        if self._own:
            self._ray.shutdown()


class _Understander:
    """An actor. Its worker process takes a decoder's crash for it, and ends with it."""

    def __init__(self, choice: ModelChoice, identity: str):
        self._engine = LocalEngine(choice, identity, workers=1)

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, Any]:
        wanted = zip(batch["key"].tolist(), map(MediaFile.from_json, batch["file"].tolist()), strict=True)
        outcomes = list(self._engine.understand(wanted))
        return {"key": [key for key, _ in outcomes], "kind": [kind for _, (kind, _) in outcomes],
                "content": [content for _, (_, content) in outcomes]}


def connect(address: str | None, workers: int | None) -> tuple[Any, bool]:
    """Ray, connected, and whether a cluster was made for it, which is then to be shut down.

    Raises RuntimeMissingError when Ray is not installed, ExportError when there is no cluster at the address.
    """
    ray = _ray()
    if ray.is_initialized():
        return ray, False
    made_here = {"num_cpus": workers or usable_cores(), "object_store_memory": OBJECT_STORE_BYTES,
                 "include_dashboard": False}
    try:
        ray.init(address=address or "local", log_to_driver=False, logging_level="error",
                 **({} if address else made_here))
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise ExportError(f"no Ray cluster at {address or 'this machine'}: {error!s:.200}; start one with "
                          "`ray start --head`, or leave --ray-address out") from error
    return ray, True


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # its errors are raised as well
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise RuntimeMissingError("Ray is not installed; run pip install 'roomtone[ray]'") from error
    return ray


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1][:200]
