"""Checking Ed25519 signatures (RFC 8032, section 5.1.7), and nothing else: the device holds no secret key.

Why not a library: `cryptography` takes 7 MB of a device's memory for one check at start, and a check handles only
public values, so nothing can leak through its timing. It takes some milliseconds. tests/edge/test_ed25519.py holds it
against the RFC's vectors and against `cryptography`.
"""

import hashlib

PUBLIC_KEY_BYTES, SIGNATURE_BYTES = 32, 64
_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_SQRT_MINUS_1 = pow(2, (_P - 1) // 4, _P)
Point = tuple[int, int, int, int]
"""Extended coordinates (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z."""
_NEUTRAL: Point = (0, 1, 1, 0)


def verifies(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` (64 bytes) of ``message`` was made with the secret half of ``public_key`` (32 bytes)."""
    if len(public_key) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    key, commitment = _decoded(public_key), _decoded(signature[:32])
    response = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or response >= _ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % _ORDER
    return _equal(_times(response, _BASE), _sum(commitment, _times(challenge, key)))


def _sum(a: Point, b: Point) -> Point:
    """Point addition on the twisted Edwards curve -x^2 + y^2 = 1 + d x^2 y^2; complete, so also doubling."""
    low, high = (a[1] - a[0]) * (b[1] - b[0]) % _P, (a[1] + a[0]) * (b[1] + b[0]) % _P
    cross, square = 2 * a[3] * b[3] * _D % _P, 2 * a[2] * b[2] % _P
    e, f, g, h = high - low, square - cross, square + cross, high + low
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(scalar: int, point: Point) -> Point:
    result = _NEUTRAL
    for bit in bin(scalar)[2:]:
        result = _sum(result, result)
        if bit == "1":
            result = _sum(result, point)
    return result


def _equal(a: Point, b: Point) -> bool:
    return (a[0] * b[2] - b[0] * a[2]) % _P == 0 and (a[1] * b[2] - b[1] * a[2]) % _P == 0


def _decoded(encoded: bytes) -> Point | None:
    """A point from its 32 bytes: y, and the sign of x in the highest bit. None where there is no such point."""
    number = int.from_bytes(encoded, "little")
    y, sign = number & ((1 << 255) - 1), number >> 255
    if y >= _P:
        return None
    x = _root((y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P)
    if x is None or (x == 0 and sign):
        return None
    x = _P - x if x % 2 != sign else x
    return x, y, 1, x * y % _P


def _root(square: int) -> int | None:
    """A square root modulo p, where there is one (p = 5 modulo 8)."""
    root = pow(square, (_P + 3) // 8, _P)
    for candidate in (root, root * _SQRT_MINUS_1 % _P):
        if candidate * candidate % _P == square:
            return candidate
    return None


def _base() -> Point:
    point = _decoded((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))
    assert point is not None
    return point


_BASE = _base()
