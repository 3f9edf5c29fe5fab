"""Which items reach the ranker: the best of every source, filtered before the cut, without duplicates.

A source is a way of finding items: what is heard, what is seen, a taste, words, the collaborative factors, what is
popular, what is new. A missing modality has no source and costs nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edge.catalog.index import best_of
from edge.context import Context
from edge.recommend.filters import Filters
from edge.recommend.lookup import Lookup
from edge.recommend.taste import Crowd, Taste

REFUSED = -0.75
"""From this strength down an item does not come again: disliked, or skipped twice and never finished."""
SEEN_LATELY_ITEMS = 20
"""So many of the items last finished or skipped are left in peace."""
EVERYTHING = Filters()


@dataclass(frozen=True)
class Request:
    """What is asked for: the moment, the user, and words if there are any."""

    context: Context
    taste: Taste
    words: str | None = None
    playing: int | None = None
    """The row of the recording that is playing now."""

    @cached_property
    def crowd(self) -> Crowd | None:
        """Computed once a request."""
        return self.taste.crowd()


def allowed(lookup: Lookup, request: Request, filters: Filters = EVERYTHING) -> np.ndarray:
    """Which items may be recommended: bool (items,).

    None that the filters keep out, never the one that is playing, a disliked one, or one of those finished or skipped
    just now.
    """
    mask = filters.mask(lookup)
    if request.playing is not None:
        mask[request.playing] = False
    table = request.taste.records.table
    if not filters.repeats:
        mask[table["row"]] = False
    lately = table[-SEEN_LATELY_ITEMS:]
    mask[lately["row"][(lately["finishes"] > 0) | (lately["skips"] > 0)]] = False
    mask[table["row"][table["strength"] <= REFUSED]] = False
    return mask


def gather(lookup: Lookup, request: Request, mask: np.ndarray, *, limit: int) -> np.ndarray:
    """The rows of at most ``limit`` candidates, int32 (n,), each allowed and there once.

    The sources take turns, each with its best first, so that no source crowds another out; of a film one shot is
    taken, the first that comes. With nothing heard, seen or known of the user, it is a spread over the catalogue.
    """
    ranked = [rows[mask[rows]] for rows in _sources(lookup, request, mask, limit)]
    if not any(len(rows) for rows in ranked):
        everything = _once(lookup, np.flatnonzero(mask))
        return everything[:: max(1, len(everything) // limit)][:limit].astype(np.int32)
    turn = np.concatenate([np.arange(len(rows)) for rows in ranked])
    rows = np.concatenate(ranked)[np.argsort(turn, kind="stable")]
    return _once(lookup, rows)[:limit].astype(np.int32)


def _once(lookup: Lookup, rows: np.ndarray) -> np.ndarray:
    """Each row once, and of each film's shots one: what comes first."""
    films = lookup.films[rows]
    works = np.where(films >= 0, -films - 1, rows)  # numbers of films and rows never meet
    return rows[np.sort(np.unique(works, return_index=True)[1])]


def _sources(lookup: Lookup, request: Request, mask: np.ndarray, limit: int) -> Iterator[np.ndarray]:
    """The rows that each source finds, int32, best first."""
    for view in lookup.content_views():
        taste = request.taste.content(view)
        for vector in (request.context.vectors.get(view), taste.short, taste.long):
            if vector is not None:
                yield lookup.snapshot.views[view].search(vector, limit, allowed=mask)[0]
    crowd = request.crowd
    if lookup.collaborative is not None and crowd is not None:
        yield from lookup.collaborative.best([user for user in crowd.users.values() if user is not None], limit, mask)
        for scores in (*crowd.neighbours.values(), crowd.followers):
            drawn = np.flatnonzero((scores > 0) & mask)
            yield drawn[best_of(scores[drawn], limit)].astype(np.int32)
    if request.words:
        found = lookup.snapshot.items.search(request.words, limit)
        yield np.array([row for row, _ in found], np.int32)
    yield lookup.popular[mask[lookup.popular]][:limit]
    yield lookup.newest[mask[lookup.newest]][:limit]
