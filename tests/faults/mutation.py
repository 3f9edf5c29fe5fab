"""Valid inputs made invalid: bytes flipped, cut, doubled, a document's values replaced; equal for equal seeds."""

import json
import math
import random
from typing import Any

NUMBERS = (0, 1, -1, 2, 127, 128, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32, 2**63, -(2**63), 2**64, 10**40, 0.5,
           -0.0, 1e-320, 1e308, -1e308, math.inf, -math.inf, math.nan)
TEXTS = ("", " ", "\n", "\0", "..", "../../etc/passwd", "/", "a/b", "\ud800", "\u202e", "%s%n", "{}", "'\"", "A" * 300,
         "é", "\U0001f3b5", "manifest.json", "0" * 64, "1e9", "nan", "null", "2030-13-99", "-1")
TOKENS = (b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\u0000", b"\\ud800", b"NaN", b"Infinity", b"1e999", b"null",
          b"true", b"-", b"\r\n", b"\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"%00", b"%ff", b"=", b"[[", b"'''", b'"""',
          b"9" * 5000, b"[" * 3000, b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\x00\x00\x00\x80")
WHOLE = tuple(number for number in NUMBERS if isinstance(number, int))
WIDTHS = (1, 2, 4, 8)
"""Bytes of the whole numbers that binary formats are made of."""
MOST_CHANGES = 4


def altered(seed: bytes, chance: random.Random) -> bytes:
    """One of the ways below, a document's way only for what is one; now and then the seed as it is."""
    way = chance.random()
    if way < 0.01:
        return seed
    if way < 0.5:
        try:
            return _document(json.loads(seed), chance)
        except (ValueError, RecursionError):
            pass
    return _bytes(seed, chance)


def _bytes(seed: bytes, chance: random.Random) -> bytes:
    content = bytearray(seed)
    change = _overwrite if chance.random() < 0.5 else _change
    for _ in range(chance.randint(1, MOST_CHANGES)):
        change(content, chance)
    return bytes(content)


def _overwrite(content: bytearray, chance: random.Random) -> None:
    """A change that leaves the length as it is, which formats of fixed places look at first."""
    if not content:
        return
    width, at = chance.choice(WIDTHS), chance.randrange(len(content))
    match chance.randrange(4):
        case 0:
            fresh = bytes([content[at] ^ 1 << chance.randrange(8)])
        case 1:
            fresh = chance.randbytes(width)
        case 2:
            begin = chance.randrange(len(content))
            fresh = bytes(content[begin : begin + width])
        case _:
            at -= at % width
            fresh = (chance.choice(WHOLE) % (1 << 8 * width)).to_bytes(width, chance.choice(("little", "big")))
    fresh = fresh[: len(content) - at]
    content[at : at + len(fresh)] = fresh


def _change(content: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(content) + 1)
    length = min(len(content) - at, int(2 ** chance.uniform(0, 8)))
    match chance.randrange(8):
        case 0 if at < len(content):
            content[at] ^= 1 << chance.randrange(8)
        case 1 if at < len(content):
            content[at] = chance.randrange(256)
        case 2:
            del content[at : at + length]
        case 3:
            content[at:at] = content[at : at + length]
        case 4:
            content[at:at] = chance.choice(TOKENS)
        case 5:
            content[at : at + length] = chance.choice(TOKENS)
        case 6:
            content[at:at] = chance.randbytes(length)
        case _ if chance.random() < 0.3:
            del content[at:]


def _document(document: Any, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 2)):
        document = _replaced(document, chance.choice(list(_places(document))), chance)
    return json.dumps(document, ensure_ascii=chance.random() < 0.9).encode("utf-8", "surrogatepass")


def _places(document: Any, path: tuple = ()):
    """Every place in a document that a value can stand at."""
    yield path
    if isinstance(document, dict | list):
        for key, value in document.items() if isinstance(document, dict) else enumerate(document):
            yield from _places(value, (*path, key))


def _replaced(document: Any, path: tuple, chance: random.Random) -> Any:
    if not path:
        return _anything(chance)
    copy = dict(document) if isinstance(document, dict) else list(document)
    key = path[0]
    if len(path) == 1 and chance.random() < 0.3:
        if chance.random() < 0.5 or isinstance(copy, list):
            del copy[key]
        else:
            copy[chance.choice(TEXTS)] = copy.pop(key)
        return copy
    copy[key] = _replaced(copy[key], path[1:], chance)
    return copy


def _anything(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.randrange(8 if depth < 3 else 6)
    if kind < 3:
        return chance.choice(NUMBERS)
    if kind < 5:
        return chance.choice(TEXTS)
    if kind == 5:
        return chance.choice((None, True, False))
    several = [_anything(chance, depth + 1) for _ in range(chance.randrange(4))]
    return several if kind == 6 else {chance.choice(TEXTS): value for value in several}
