"""Which tracks of a folder are the same recording: another encoding, another album, the same file twice.

Pairs of nearly one length whose mean vectors are close are looked at second by second. Films are not compared.
"""

import tempfile
from collections.abc import Callable, Iterator

import numpy as np

from edge.catalog.index import SCALE
from export.catalog.vectors import as_stored

LENGTH_SHARE, LENGTH_WINDOWS = 0.02, 4
"""Two recordings of one length differ by at most this share or so many windows (seconds), whichever is more."""
LEAST_CENTRE = 0.95
"""Least cosine of the mean vectors of a pair that is looked at closer; of 180 encodings the least is .984."""
LEAST_AGREEMENT = 0.88
"""What the validation packages choose: a tenth of the way from the least of their encodings (MP3, Opus and AAC of 32 to
128 kbit/s, half a second late, 9 dB quieter, cut by 1.3 s) to the most alike of their other recordings. Of the test
packages 180 encodings agree at .904 or more, different recordings at .83 or less (``python -m benchmarks copies``)."""
LEAST_WINDOWS = 8
"""Shorter sounds are the same only when every window is."""
NEAREST = 8
"""So many earlier ones are looked at closer, so that a folder of ten thousand alike costs no more than another."""
BLOCK = 512
"""So many tracks are compared with so many at a time: 20 MB, however many there are."""

Load = Callable[[str], np.ndarray | None]
"""A track's key to its windows, int8 (n, d)."""


class CopyFinder:
    """Takes the tracks in turn; keeps their mean vectors on the disk, so that memory does not grow with them."""

    def __init__(self) -> None:
        self._record = np.dtype([])
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed in close
        self._count = 0

    def add(self, key: str, windows: np.ndarray) -> None:
        if not self._count:
            self._record = np.dtype([("centre", np.int8, windows.shape[1]), ("windows", np.int32), ("key", "S64")])
        record = np.zeros(1, self._record)
        record["centre"], record["windows"], record["key"] = _centre(windows), len(windows), key
        self._file.write(record.tobytes())
        self._count += 1

    def copies(self, load: Load) -> dict[str, str]:
        """Key of each track that has been there before, to the key of the first that is the same recording."""
        found: dict[str, str] = {}
        for number, others in self._candidates():
            key = self._key(number)
            for other in dict.fromkeys(found.get(other, other) for other in map(self._key, others)):
                windows, known = load(key), load(other)
                if windows is not None and known is not None and same_recording(known, windows):
                    found[key] = other
                    break
        return found

    def _candidates(self) -> Iterator[tuple[int, list[int]]]:
        """Number of each track that may have been there before, and of the earlier ones that are nearest to it."""
        for begin in range(0, self._count, BLOCK):
            later = self._read(begin)
            rows = np.arange(len(later))[:, np.newaxis]
            cosines, numbers = np.empty((len(later), 0), np.float32), np.empty((len(later), 0), np.int64)
            for start in range(0, begin + 1, BLOCK):
                close, there = _closeness(later, self._read(start), gap=begin - start)
                cosines, numbers = np.hstack([cosines, close]), np.hstack([numbers, start + there])
                nearest = np.argpartition(-cosines, min(NEAREST, cosines.shape[1]) - 1, axis=1)[:, :NEAREST]
                cosines, numbers = cosines[rows, nearest], numbers[rows, nearest]
            for row in np.flatnonzero((cosines >= LEAST_CENTRE).any(axis=1)).tolist():
                yield begin + row, sorted(numbers[row][cosines[row] >= LEAST_CENTRE].tolist())

    def _read(self, begin: int) -> np.ndarray:
        self._file.seek(begin * self._record.itemsize)
        return np.frombuffer(self._file.read(BLOCK * self._record.itemsize), self._record)

    def _key(self, number: int) -> str:
        self._file.seek(number * self._record.itemsize)
        return np.frombuffer(self._file.read(self._record.itemsize), self._record)["key"][0].decode()

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "CopyFinder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _closeness(later: np.ndarray, earlier: np.ndarray, *, gap: int) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of centres, float32 (later, earlier), -1 where lengths differ or the other is no earlier one; and
    the positions of the earlier, of the same shape. ``gap``: how far the first of ``later`` is behind."""
    cosines = later["centre"].astype(np.float32) @ earlier["centre"].astype(np.float32).T / np.float32(SCALE**2)
    lengths = later["windows"][:, np.newaxis], earlier["windows"][np.newaxis]
    allowed = np.maximum(LENGTH_WINDOWS, LENGTH_SHARE * np.maximum(*lengths))
    positions = np.broadcast_to(np.arange(len(earlier)), cosines.shape)
    before = positions < gap + np.arange(len(later))[:, np.newaxis]
    cosines[~before | (np.abs(lengths[0] - lengths[1]) > allowed)] = -1
    return cosines, positions


def same_recording(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two tracks are the same recording, from their windows, int8 (n, d) and (m, d)."""
    if np.array_equal(first, second):
        return True
    return min(len(first), len(second)) >= LEAST_WINDOWS and agreement(first, second) >= LEAST_AGREEMENT


def agreement(first: np.ndarray, second: np.ndarray) -> float:
    """Mean cosine of the windows of two tracks, laid over each other with the shift at which it is highest."""
    cosines = first.astype(np.float32) @ second.astype(np.float32).T / SCALE**2
    shifts = range(-LENGTH_WINDOWS, LENGTH_WINDOWS + 1)
    return max(float(np.diagonal(cosines, shift).mean()) for shift in shifts if -len(first) < shift < len(second))


def centre_cosine(first: np.ndarray, second: np.ndarray) -> float:
    """Cosine of the mean vectors of two tracks' windows, int8 (n, d) and (m, d)."""
    return float(_centre(first).astype(np.float32) @ _centre(second).astype(np.float32) / SCALE**2)


def _centre(windows: np.ndarray) -> np.ndarray:
    return as_stored(windows.astype(np.float32).mean(axis=0, keepdims=True))[0]
