"""What the catalogue holds that is most like one of its items: ``roomtone search --like ITEM``."""

from edge.catalog.snapshot import Snapshot
from edge.errors import UsageError


def similar(snapshot: Snapshot, item: str, k: int) -> list[tuple[int, float]]:
    """Rows most like an item, with the cosine in the view where they are closest, best first.

    Every view that the item has a vector in is asked. Raises UsageError when the snapshot has no such item.
    """
    found = snapshot.items.by_id(item)
    if found is None:
        raise UsageError(f"the catalogue has no item {item!r:.140}; find one with: roomtone search WORDS")
    best: dict[int, float] = {}
    for view in snapshot.views.values():
        vector = view.vector(found.row)
        if vector is None:
            continue
        rows, scores = view.search(vector, k + 1)
        for row, score in zip(rows.tolist(), scores.tolist(), strict=True):
            best[row] = max(score, best.get(row, -1.0))
    best.pop(found.row, None)
    return sorted(best.items(), key=lambda pair: (-pair[1], pair[0]))[:k]
