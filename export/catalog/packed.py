"""What a file was understood as, in bytes: how results travel between processes and lie on the disk.

A length, a JSON list of the items' fields and the shapes of their vectors, then the vectors themselves.
"""

import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

LENGTH = struct.Struct("<I")


@dataclass(frozen=True)
class Understood:
    """An item: the fields of edge.catalog.items.Item but ``row``, and its vectors as stored.

    ``vectors`` maps a view to np.ndarray [shape=(n, d), dtype=int8], n = 1 but for the view of windows.
    """

    fields: dict[str, Any]
    vectors: dict[str, np.ndarray]


def pack(items: list[Understood]) -> bytes:
    head = [{"fields": item.fields, "views": {view: part.shape for view, part in item.vectors.items()}}
            for item in items]
    text = json.dumps(head).encode("ascii")
    parts = [np.ascontiguousarray(part, np.int8).tobytes() for item in items for part in item.vectors.values()]
    return b"".join([LENGTH.pack(len(text)), text, *parts])


def unpack(content: bytes) -> list[Understood]:
    """Raises ValueError for bytes that ``pack`` did not make."""
    try:
        begin = LENGTH.size + LENGTH.unpack_from(content)[0]
        head = json.loads(content[LENGTH.size : begin])
        items = []
        for said in head:
            vectors = {}
            for view, (rows, dimension) in said["views"].items():
                vectors[view] = np.frombuffer(content, np.int8, rows * dimension, begin).reshape(rows, dimension)
                begin += rows * dimension
            items.append(Understood(said["fields"], vectors))
    except (struct.error, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a packed result: {error}") from error
    if begin != len(content):
        raise ValueError(f"not a packed result: {len(content)} bytes instead of {begin}")
    return items
