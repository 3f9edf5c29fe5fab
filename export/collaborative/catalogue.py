"""A catalogue made of nothing but a ratings file, so that the device's own code can be evaluated on it."""

from pathlib import Path

from edge.catalog.items import Item
from export.catalog.writer import write_snapshot
from export.collaborative.ratings import Ratings


def write_catalogue(folder: Path, ratings: Ratings) -> None:
    """A snapshot of the rated items in the order of their numbers, with the texts that the file has."""
    write_snapshot(folder, [item_of(row, ratings) for row in range(len(ratings.items))], {},
                   name="ratings", version="1")  # fmt: skip


def item_of(row: int, ratings: Ratings) -> Item:
    """What the ratings file says about an item."""
    name, texts = ratings.items[row], ratings.texts[row]
    year = texts.get("year", "")
    return Item(
        row=row, item=name, kind="track", title=texts.get("title") or name, artist=texts.get("artist") or None,
        album=texts.get("album") or None, genre=texts.get("genre") or None, channel=texts.get("channel") or None,
        year=int(year) if year.isascii() and year.isdigit() and len(year) <= 4 else None,
    )  # fmt: skip
