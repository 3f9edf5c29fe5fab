"""Which recording is heard: several vectors for each item, one for each window of it.

A window of the room sounds like one moment of a recording, and the next window like the next moment. So an item's
score is the mean cosine of what was heard, in its order, with the item's windows from its best place on. The mean
vector of a recording would lose half of the matches.
"""

import numpy as np

from edge.catalog.alignment import aligned_scores
from edge.catalog.arrays import RowFile
from edge.catalog.index import CHUNK_ROWS, SCALE, Index, best_of
from edge.catalog.lists import Lists
from edge.context import unit
from edge.errors import ShapeError
from edge.pages import release_arrays

HOP_S = 1.0
LEAST_SURENESS = 0.65
"""Of a view whose manifest says nothing else; so high that it is wrong seldom, and often silent."""
SHORTLIST = 32
"""In a large view only recordings with a window among so many nearest ones of a heard window are scored."""
LOOKED_UP = 4
"""And so many of the heard windows, evenly spread, make the shortlist; all of them count in the score."""


STRANGER = 0.4
"""The least that a second best counts as: in a catalogue of one recording there is none, and a stranger scores this."""


def sureness(scores: np.ndarray) -> float:
    """How sure it is that the best of some recordings is heard, by their scores, best first: its own less half of the
    second best's.

    A room and its noise lower all scores alike, which a limit on the best one alone would take for a stranger; the
    half was the best of 0, 1/4, 1/2, 3/4 and 1 on validation packages.
    """
    second = max(float(scores[1]), STRANGER) if len(scores) > 1 else STRANGER
    return float(scores[0]) - second / 2


class RecordingView:
    """Used by one thread at a time."""

    def __init__(
        self, stored: np.ndarray, rows: np.ndarray, starts: np.ndarray, index: Index | None, *, name: str, space: str,
        hop_s: float = HOP_S, least_sureness: float = LEAST_SURENESS, file: RowFile | None = None,
        lists: Lists | None = None,
    ):
        """``stored``: int8 (n, d), unit vectors times 127, recording after recording; ``rows``: int32 (m,), their
        items' rows, ascending; ``starts``: int64 (m + 1,), where each one's windows begin, and n.

        A window begins every ``hop_s`` seconds; a match less sure than ``least_sureness`` names nothing.
        Without an ``index`` every window is looked at: n x d multiplications for each heard window. Single
        recordings are read from ``file``, of the same vectors, or taken out of ``stored`` without one.
        ``lists``: the index's, whose pages are given back after each search (edge/pages.py).
        """
        self.name, self.space, self.hop_s, self.least_sureness = name, space, hop_s, least_sureness
        self.size, self.dimension = stored.shape
        self._stored, self._rows, self._starts, self._index = stored, rows, starts, index
        self._file, self._lists = file, lists
        longest = int(np.diff(starts).max(initial=0))
        self._floats = np.empty((min(self.size, CHUNK_ROWS + longest), self.dimension), np.float32)

    def match(
        self, windows: np.ndarray, k: int, *, starts_s: np.ndarray | None = None, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k recordings that the heard windows fit best.

        Parameters
        ----------
        windows : np.ndarray [shape=(heard, d)], heard >= 0
        starts_s : np.ndarray [shape=(heard,)], ascending, optional
            When each window began; one after the other, ``hop_s`` apart, by default.
        allowed : np.ndarray [shape=(items,), dtype=bool], optional

        Returns
        -------
        rows : np.ndarray [shape=(<= k,), dtype=int32]
        scores : np.ndarray [shape=(<= k,), dtype=float32, range -1..1]
            Mean cosine of the heard windows with those of the recording, from its best place on; best first.

        Raises ShapeError for windows of another shape, or that are not finite.
        """
        queries = np.asarray(windows, np.float32)
        if queries.ndim != 2 or queries.shape[1] != self.dimension or not np.isfinite(queries).all():
            raise ShapeError(f"heard windows must be finite numbers (n, {self.dimension}), not {queries.shape}")
        numbers = self._candidates(queries, allowed)
        if not len(queries) or not len(numbers):
            return np.empty(0, np.int32), np.empty(0, np.float32)
        scores = self._aligned(unit(queries) / np.float32(SCALE), self._offsets(len(queries), starts_s), numbers)
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
            if self._lists is not None:
                release_arrays(self._lists.centroids)
        return numbers if allowed is None else numbers[allowed[self._rows[numbers]]]

    def _offsets(self, heard: int, starts_s: np.ndarray | None) -> np.ndarray:
        """Windows of a recording between the first heard one and each."""
        if starts_s is None:
            return np.arange(heard)
        return np.rint((np.asarray(starts_s) - starts_s[0]) / self.hop_s).astype(np.int64)

    def _aligned(self, scaled: np.ndarray, offsets: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """float32 (heard, d) -> the score of each recording, float32 (len(numbers),), some whole ones at a time."""
        windows, starts = self._windows(numbers)
        scores = np.empty(len(numbers), np.float32)
        first = 0
        while first < len(numbers):
            last = max(first + 1, int(np.searchsorted(starts, starts[first] + CHUNK_ROWS, side="right")) - 1)
            begin, end = int(starts[first]), int(starts[last])
            floats = self._floats[: end - begin]
            np.copyto(floats, windows[begin:end])
            scores[first:last] = aligned_scores(floats @ scaled.T, starts[first : last + 1] - begin, offsets)
            first = last
        return scores

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
        if self._lists is not None:
            self._lists.close()
