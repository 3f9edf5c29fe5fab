"""Which recording is heard: several vectors for each item, one for each window of it.

A window of the room sounds like one moment of a recording. So an item's score is the mean over what was heard of
the cosine with the item's best window; the mean vector of a recording would lose half of the matches.
"""

from collections.abc import Callable

import numpy as np

from edge.catalog.arrays import RowFile
from edge.catalog.index import CHUNK_ROWS, SCALE, Index, best_of
from edge.context import unit
from edge.errors import ShapeError

SHORTLIST = 32
"""In a large view only recordings with a window among so many nearest ones of a heard window are scored."""
LOOKED_UP = 4
"""And so many of the heard windows, evenly spread, make the shortlist; all of them count in the score."""


class RecordingView:
    """Used by one thread at a time."""

    def __init__(
        self, stored: np.ndarray, rows: np.ndarray, starts: np.ndarray, index: Index | None, *, name: str, space: str,
        file: RowFile | None = None, release: Callable[[], object] | None = None,
    ):
        """``stored``: int8 (n, d), unit vectors times 127, recording after recording; ``rows``: int32 (m,), their
        items' rows, ascending; ``starts``: int64 (m + 1,), where each one's windows begin, and n.

        Without an ``index`` every window is looked at: n x d multiplications for each heard window. Single
        recordings are read from ``file``, of the same vectors, or taken out of ``stored`` without one.
        ``release`` is called when the index has been read, to give its pages back (pages.py).
        """
        self.name, self.space = name, space
        self.size, self.dimension = stored.shape
        self._stored, self._rows, self._starts, self._index = stored, rows, starts, index
        self._file, self._release = file, release
        self._floats = np.empty((min(self.size, CHUNK_ROWS), self.dimension), np.float32)

    def match(
        self, windows: np.ndarray, k: int, *, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k recordings that the heard windows fit best.

        Parameters
        ----------
        windows : np.ndarray [shape=(heard, d)], heard >= 0
        allowed : np.ndarray [shape=(items,), dtype=bool], optional

        Returns
        -------
        rows : np.ndarray [shape=(<= k,), dtype=int32]
        scores : np.ndarray [shape=(<= k,), dtype=float32, range -1..1]
            Mean over heard windows of the cosine with the recording's best window, best first.

        Raises ShapeError for windows of another shape, or that are not finite.
        """
        queries = np.asarray(windows, np.float32)
        if queries.ndim != 2 or queries.shape[1] != self.dimension or not np.isfinite(queries).all():
            raise ShapeError(f"heard windows must be finite numbers (n, {self.dimension}), not {queries.shape}")
        numbers = self._candidates(queries, allowed)
        if not len(queries) or not len(numbers):
            return np.empty(0, np.int32), np.empty(0, np.float32)
        scores = self._best_windows(unit(queries) / np.float32(SCALE), numbers).mean(axis=1)
        best = best_of(scores, k)
        return self._rows[numbers[best]], scores[best]

    def _candidates(self, queries: np.ndarray, allowed: np.ndarray | None) -> np.ndarray:
        """Numbers (not rows) of the recordings to be scored, ascending."""
        numbers = np.arange(len(self._rows))
        if self._index is not None:
            chosen = np.linspace(0, len(queries) - 1, min(LOOKED_UP, len(queries))).round().astype(int)
            near = [self._index.search(queries[number], SHORTLIST)[0] for number in chosen]
            positions = np.concatenate([*near, np.empty(0, np.int64)])
            numbers = np.unique(np.searchsorted(self._starts, positions, side="right") - 1)
            if self._release is not None:
                self._release()
        return numbers if allowed is None else numbers[allowed[self._rows[numbers]]]

    def _best_windows(self, scaled: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """float32 (heard, d) -> cosine with the best window of each recording, float32 (len(numbers), heard).

        A recording whose windows lie in two chunks is the better of its parts.
        """
        windows, starts = self._windows(numbers)
        best = np.full((len(numbers), len(scaled)), -np.inf, np.float32)
        for begin in range(0, len(windows), CHUNK_ROWS):
            end = min(begin + CHUNK_ROWS, len(windows))
            floats = self._floats[: end - begin]
            np.copyto(floats, windows[begin:end])
            first, last = np.searchsorted(starts, begin, side="right") - 1, np.searchsorted(starts, end)
            cuts = np.maximum(starts[first:last], begin) - begin
            part = np.maximum.reduceat(floats @ scaled.T, cuts, axis=0)
            np.maximum(best[first:last], part, out=best[first:last])
        return best

    def _windows(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The windows of some recordings in a row, int8 (n, d), and where each one's begin in it, and n."""
        if len(numbers) == len(self._rows):
            return self._stored, self._starts
        begins, ends = self._starts[numbers], self._starts[numbers + 1]
        starts = np.concatenate([[0], np.cumsum(ends - begins)])
        windows = np.empty((int(starts[-1]), self.dimension), np.int8)
        for at, begin, end in zip(starts[:-1].tolist(), begins.tolist(), ends.tolist(), strict=True):
            windows[at : at + end - begin] = self._file.read(begin, end) if self._file else self._stored[begin:end]
        return windows, starts

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
