"""A TensorFlow 1 checkpoint of random musicnn variables, written from the format's description."""

import struct
from pathlib import Path

import numpy as np

SIZES = {"timbral": 6, "temporal": 3, "middle": 4, "dense": 5}


def variables(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Names and shapes as musicnn's, with few channels."""
    t, s, m, d = SIZES.values()
    joined = 2 * t + 3 * s
    pooled = 2 * (joined + 3 * m)
    kernels = [(7, 38, 1, t), (7, 67, 1, t), (128, 1, 1, s), (64, 1, 1, s), (32, 1, 1, s),
               (7, joined, 1, m), (7, m, 1, m), (7, m, 1, m)]
    found = {}
    for number, shape in enumerate(kernels):
        _layer(found, f"conv2d_{number}" if number else "conv2d", shape, rng)
    for number, channels in enumerate([1, t, t, s, s, s, m, m, m, pooled, d]):
        name = f"batch_normalization_{number}" if number else "batch_normalization"
        for part in ("beta", "gamma", "moving_mean"):
            found[f"{name}/{part}"] = rng.normal(0, 0.5, channels).astype(np.float32)
        found[f"{name}/moving_variance"] = rng.uniform(0.5, 2, channels).astype(np.float32)
    _layer(found, "dense", (pooled, d), rng)
    _layer(found, "dense_1", (d, 50), rng)
    return found


def _layer(found: dict[str, np.ndarray], name: str, shape: tuple[int, ...], rng: np.random.Generator) -> None:
    found[f"{name}/kernel"] = rng.normal(0, 0.1, shape).astype(np.float32)
    found[f"{name}/bias"] = rng.normal(0, 0.1, shape[-1]).astype(np.float32)


def write(folder: Path, found: dict[str, np.ndarray]) -> None:
    """One data block with shared key prefixes, one index block, a footer; checksums are not written."""
    folder.mkdir(parents=True, exist_ok=True)
    data, entries = b"", [(b"", b"")]
    for name, value in sorted(found.items()):
        entries.append((name.encode(), _entry(value, len(data))))
        data += value.astype("<f4").tobytes()
    block = _block(entries)
    handle = _varint(0) + _varint(len(block) - 5)
    index = _block([(b"~", handle)])
    footer = _varint(0) + _varint(0) + _varint(len(block)) + _varint(len(index) - 5)
    table = block + index + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    (folder / ".index").write_bytes(table)
    (folder / ".data-00000-of-00001").write_bytes(data)


def _entry(value: np.ndarray, offset: int) -> bytes:
    shape = b"".join(b"\x12" + _sized(b"\x08" + _varint(size)) for size in value.shape)
    return (b"\x08\x01\x12" + _sized(shape) + b"\x20" + _varint(offset) + b"\x28" + _varint(value.nbytes)
            + b"\x35" + bytes(4))


def _block(entries: list[tuple[bytes, bytes]]) -> bytes:
    raw, before = b"", b""
    for key, value in entries:
        shared = 0
        while shared < min(len(before), len(key)) and before[shared] == key[shared]:
            shared += 1
        raw += _varint(shared) + _varint(len(key) - shared) + _varint(len(value)) + key[shared:] + value
        before = key
    return raw + struct.pack("<II", 0, 1) + bytes(5)


def _sized(raw: bytes) -> bytes:
    return _varint(len(raw)) + raw


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
