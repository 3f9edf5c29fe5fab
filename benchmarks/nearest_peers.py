"""Other libraries' search over the same vectors, for benchmarks/nearest.py: each as its manual says, one thread.

An index that takes minutes to build is kept in the given folder, with the time that it took.
"""

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Figure

Search = Callable[[np.ndarray], Any]
"""A query, float32 (d,), to the positions of the ten nearest, in any order."""
Settle = Callable[[Callable[[int], Search]], int]
"""From what makes a search with a setting to the cheapest setting with enough recall."""
Made = tuple[Search, dict[str, Figure]]
NEIGHBOURS = 10
LINKS, BUILD_EFFORT = 16, 200
"""HNSW's M and ef_construction: hnswlib's and usearch's defaults are 16 and 200 or 128."""


def numpy_float(vectors: np.ndarray, settle: Settle, folder: Path) -> Made:
    return lambda query: np.argpartition(-(vectors @ query), NEIGHBOURS)[:NEIGHBOURS], {"mib": _mib(vectors.nbytes)}


def faiss_flat(vectors: np.ndarray, settle: Settle, folder: Path) -> Made:
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return lambda query: index.search(query[np.newaxis], NEIGHBOURS)[1][0], {"mib": _mib(vectors.nbytes)}


def usearch(vectors: np.ndarray, settle: Settle, folder: Path) -> Made:
    from usearch.index import Index

    def fresh() -> Any:
        return Index(ndim=vectors.shape[1], metric="ip", dtype="f32", connectivity=LINKS, expansion_add=BUILD_EFFORT)

    def build(path: Path) -> None:
        index = fresh()
        index.add(np.arange(len(vectors)), vectors, threads=1)
        index.save(str(path))

    path, build_s = _built(folder, "usearch", vectors, build)
    index = fresh()
    index.load(str(path))

    def with_effort(effort: int) -> Search:
        index.expansion_search = effort
        return lambda query: index.search(query, NEIGHBOURS, threads=1).keys

    effort = settle(with_effort)
    return with_effort(effort), {"setting": effort, "build_s": build_s, "mib": _mib(path.stat().st_size)}


def hnswlib(vectors: np.ndarray, settle: Settle, folder: Path) -> Made:
    import hnswlib as library

    def build(path: Path) -> None:
        index = library.Index(space="ip", dim=vectors.shape[1])
        index.init_index(len(vectors), M=LINKS, ef_construction=BUILD_EFFORT)
        index.add_items(vectors, num_threads=1)
        index.save_index(str(path))

    path, build_s = _built(folder, "hnswlib", vectors, build)
    index = library.Index(space="ip", dim=vectors.shape[1])
    index.load_index(str(path))
    index.set_num_threads(1)

    def with_effort(effort: int) -> Search:
        index.set_ef(effort)
        return lambda query: index.knn_query(query, NEIGHBOURS)[0][0]

    effort = settle(with_effort)
    return with_effort(effort), {"setting": effort, "build_s": build_s, "mib": _mib(path.stat().st_size)}


def sqlite_vec(vectors: np.ndarray, settle: Settle, folder: Path) -> Made:
    import apsw  # many a Python's own sqlite3 loads no extensions
    import sqlite_vec as extension

    database = apsw.Connection(":memory:")
    database.enable_load_extension(True)
    database.load_extension(extension.loadable_path())
    database.execute(f"create virtual table v using vec0(e float[{vectors.shape[1]}] distance_metric=cosine)")
    began_s = time.perf_counter()
    with database:
        database.executemany("insert into v(rowid, e) values (?, ?)", enumerate(map(np.ndarray.tobytes, vectors)))
    build_s = time.perf_counter() - began_s
    asked = f"select rowid from v where e match ? order by distance limit {NEIGHBOURS}"
    pages, page_bytes = (database.pragma(name) for name in ("page_count", "page_size"))
    return (lambda query: [row for row, in database.execute(asked, (query.tobytes(),))],
            {"build_s": build_s, "mib": _mib(pages * page_bytes)})


def _built(folder: Path, name: str, vectors: np.ndarray, build: Callable[[Path], None]) -> tuple[Path, float]:
    """An index's file, built or found, and the seconds that building it took."""
    path = folder / f"{name}-{hashlib.sha256(vectors.tobytes()).hexdigest()[:16]}.index"
    took = path.with_suffix(".json")
    if not took.exists():
        began_s = time.perf_counter()
        build(path)
        took.write_text(json.dumps(time.perf_counter() - began_s), encoding="ascii")
    return path, float(json.loads(took.read_text(encoding="ascii")))


def _mib(size_bytes: int) -> float:
    return size_bytes / (1 << 20)


PEERS: dict[str, Callable[[np.ndarray, Settle, Path], Made]] = {
    "numpy float32, exact": numpy_float,
    "faiss flat float32, exact": faiss_flat,
    "usearch, HNSW float32": usearch,
    "hnswlib, HNSW float32": hnswlib,
    "sqlite-vec float32, exact": sqlite_vec,
}
