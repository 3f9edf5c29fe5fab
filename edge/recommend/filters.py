"""What a household keeps out of its lists, whatever the taste: applied before any source is cut to its best."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from edge.recommend.lookup import Lookup


@dataclass(frozen=True)
class Filters:
    """Nothing is kept out by default."""

    children: bool = False
    """Whether items marked explicit stay out."""
    artists: frozenset[str] = frozenset()
    """Names of artists who stay out, in capitals or not. An unknown one keeps nothing out."""
    unavailable: frozenset[str] = frozenset()
    """Ids of items that cannot be played now."""
    repeats: bool = True
    """Whether an item that the user has touched may come again."""

    @classmethod
    def of(cls, *, children: bool = False, artists: Iterable[str] = (), unavailable: Iterable[str] = (),
           repeats: bool = True) -> "Filters":  # fmt: skip
        return cls(children, frozenset(name.casefold() for name in artists), frozenset(unavailable), repeats)

    def mask(self, lookup: Lookup) -> np.ndarray:
        """Which items pass, the user's own history aside: bool (items,), to be changed at will."""
        mask = np.ones(lookup.size, bool)
        if self.children:
            mask &= lookup.facets.explicit == 0
        if self.artists:
            mask &= ~np.isin(lookup.facets.artist, lookup.artist_codes(self.artists))
        gone = [row for row in map(lookup.row, self.unavailable) if row is not None]
        mask[gone] = False
        return mask
