"""Which recording is heard: several vectors for each item, one for each window of it.

A window of the room sounds like one moment of a recording. So an item's score is the mean over what was heard of
the cosine with the item's best window; the mean vector of a recording would lose half of the matches.
"""

import numpy as np

from edge.catalog.index import CHUNK_ROWS, SCALE, Index, best_of
from edge.context import unit
from edge.errors import ShapeError

SHORTLIST = 64
"""In a large view only recordings with a window among so many nearest ones of a heard window are scored."""


class RecordingView:
    """Used by one thread at a time."""

    def __init__(
        self, stored: np.ndarray, rows: np.ndarray, starts: np.ndarray, index: Index | None, *, name: str, space: str
    ):
        """``stored``: int8 (n, d), unit vectors times 127, recording after recording; ``rows``: int32 (m,), their
        items' rows, ascending; ``starts``: int64 (m + 1,), where each one's windows begin, and n.

        Without an ``index`` every window is looked at: n x d multiplications for each heard window.
        """
        self.name, self.space = name, space
        self.size, self.dimension = stored.shape
        self._stored, self._rows, self._starts, self._index = stored, rows, starts, index
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
            near = [self._index.search(query, SHORTLIST)[0] for query in queries]
            positions = np.concatenate([*near, np.empty(0, np.int64)])
            numbers = np.unique(np.searchsorted(self._starts, positions, side="right") - 1)
        return numbers if allowed is None else numbers[allowed[self._rows[numbers]]]

    def _best_windows(self, scaled: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """float32 (heard, d) -> cosine with the best window of each recording, float32 (len(numbers), heard).

        A recording whose windows lie in two chunks is the better of its parts.
        """
        starts, positions = self._layout(numbers)
        best = np.full((len(numbers), len(scaled)), -np.inf, np.float32)
        for begin in range(0, int(starts[-1]), CHUNK_ROWS):
            end = min(begin + CHUNK_ROWS, int(starts[-1]))
            floats = self._floats[: end - begin]
            np.copyto(floats, self._stored[begin:end] if positions is None else self._stored[positions[begin:end]])
            first, last = np.searchsorted(starts, begin, side="right") - 1, np.searchsorted(starts, end)
            cuts = np.maximum(starts[first:last], begin) - begin
            part = np.maximum.reduceat(floats @ scaled.T, cuts, axis=0)
            np.maximum(best[first:last], part, out=best[first:last])
        return best

    def _layout(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Where each recording's windows begin when theirs alone are put in a row, and their positions in the view.

        The positions are None when it is all of them.
        """
        if len(numbers) == len(self._rows):
            return self._starts, None
        lengths = self._starts[numbers + 1] - self._starts[numbers]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        return starts, np.arange(starts[-1]) + np.repeat(self._starts[numbers] - starts[:-1], lengths)
