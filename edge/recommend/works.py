"""A recording that is in the catalogue twice, from two albums say, is one work: a list has a place for one of them."""

from collections.abc import Callable

import numpy as np

from edge.catalog.items import Item


def work_of(item: Item) -> tuple[str, str, int | None]:
    """Equal for items of one title by one artist, or, where no artist is known, of one title and year."""
    return item.title.casefold(), (item.artist or "").casefold(), None if item.artist else item.year


def once_each(
    order: Callable[[np.ndarray], np.ndarray], items: Callable[[np.ndarray], list[Item]], count: int
) -> np.ndarray:
    """A list without a work that comes twice.

    ``order`` makes a list of candidates: of int64 (n,), their numbers, it returns places in that array, best first.
    ``items``: of candidates by their numbers. ``count``: how many there are. Returns the list's numbers, int64 (k,).
    Each time a work comes twice, the later candidate goes and the list is made again.
    """
    free = np.arange(count)
    while True:
        chosen = free[order(free)]
        again = _repeated([work_of(item) for item in items(chosen)])
        if not again:
            return chosen
        free = np.setdiff1d(free, chosen[again], assume_unique=True)


def _repeated(works: list[tuple[str, str, int | None]]) -> list[int]:
    return [place for place, work in enumerate(works) if work in works[:place]]
