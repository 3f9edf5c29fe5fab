"""Read the variables of a TensorFlow 1 checkpoint with numpy alone.

A checkpoint ("tensor bundle") is an index, which is a LevelDB table from variable name to a small protocol buffer
(dtype, shape, shard, offset, size), and a data file of raw little-endian tensors. Formats: LevelDB's
``doc/table_format.md`` and TensorFlow's ``core/protobuf/tensor_bundle.proto``. Only float32 and one shard are read.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import ExportError

TABLE_MAGIC = 0xDB4775248B80FB57
FOOTER_BYTES = 48
DT_FLOAT = 1
TRAINING_ONLY = ("/Adam", "beta1_power", "beta2_power")


def read_variables(folder: Path) -> dict[str, np.ndarray]:
    """Variable name to float32 array, the optimiser's own left out.

    ``folder`` holds ``.index`` and ``.data-00000-of-00001``. Raises ExportError when it is another format.
    """
    try:
        index, data = (folder / ".index").read_bytes(), (folder / ".data-00000-of-00001").read_bytes()
        found = {name: _tensor(value, data) for name, value in _entries(index)
                 if name and not any(part in name for part in TRAINING_ONLY)}
        if not found:
            raise ValueError("it names no variable")
        return found
    except (OSError, struct.error, IndexError, ValueError, TypeError) as error:
        raise ExportError(f"{folder}: not a TensorFlow 1 checkpoint of float32 variables: {error}") from error


def _entries(table: bytes) -> Iterator[tuple[str, bytes]]:
    footer = table[-FOOTER_BYTES:]
    if struct.unpack("<Q", footer[-8:])[0] != TABLE_MAGIC:
        raise ValueError("the index has no LevelDB table magic")
    _, at = _handle(footer, 0)
    (offset, size), _ = _handle(footer, at)
    for _, handle in _block(table, offset, size):
        (offset, size), _ = _handle(handle, 0)
        yield from ((name.decode(), value) for name, value in _block(table, offset, size))


def _handle(raw: bytes, at: int) -> tuple[tuple[int, int], int]:
    offset, at = _varint(raw, at)
    size, at = _varint(raw, at)
    return (offset, size), at


def _block(table: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Entries of a block; each key shares a prefix with the one before it."""
    if table[offset + size] != 0:
        raise ValueError("a compressed index block")
    block = table[offset : offset + size]
    restarts = struct.unpack("<I", block[-4:])[0]
    at, end, key = 0, size - 4 * (restarts + 1), b""
    while at < end:
        shared, at = _varint(block, at)
        fresh, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + fresh]
        at += fresh
        yield key, block[at : at + length]
        at += length


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _tensor(entry: bytes, data: bytes) -> np.ndarray:
    fields = dict(_fields(entry))
    if fields.get(1) != DT_FLOAT or fields.get(3, 0) != 0:
        raise ValueError("a variable that is not float32 in the first shard")
    dimensions = [dict(_fields(raw)).get(1, 0) for number, raw in _fields(fields.get(2, b"")) if number == 2]
    offset, size = fields.get(4, 0), fields.get(5, 0)
    if offset + size > len(data):
        raise ValueError("the data file is cut off")
    return np.frombuffer(data[offset : offset + size], "<f4").reshape(dimensions)


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """(field number, value) of a protocol buffer message of varints, fixed32 and byte strings."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        if key & 7 == 0:
            value, at = _varint(message, at)
            yield key >> 3, value
        elif key & 7 == 2:
            length, at = _varint(message, at)
            yield key >> 3, message[at : at + length]
            at += length
        elif key & 7 == 5:
            yield key >> 3, struct.unpack("<I", message[at : at + 4])[0]
            at += 4
        else:
            raise ValueError(f"an unknown wire type {key & 7}")
