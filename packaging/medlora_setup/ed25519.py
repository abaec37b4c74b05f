"""Checks Ed25519 signatures (RFC 8032), in plain Python, as strictly as libsodium does; it cannot sign."""

from hashlib import sha512

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]  # extended coordinates X, Y, Z, T with x = X/Z, y = Y/Z, x*y = T/Z

IDENTITY: Point = (0, 1, 1, 0)


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes) of `message` was made with the secret half of `public_key` (32 bytes).

    RFC 8032, section 5.1.7, without the cofactor. Refused as well: S not below the group's order, and a key or an R
    that is not canonical or of small order, with which one signature would fit many messages.
    """
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key, r, s = _decode(public_key), _decode(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= ORDER or _has_small_order(key) or _has_small_order(r):
        return False
    challenge = int.from_bytes(sha512(signature[:32] + public_key + message).digest(), "little") % ORDER
    return _is_same(_sum_of_products(s, BASE, challenge, _negated(key)), r)


def _decode(data: bytes) -> Point | None:
    """The point that 32 bytes stand for (RFC 8032, section 5.1.3); None where they stand for none, or not uniquely."""
    number = int.from_bytes(data, "little")
    odd, y = number >> 255, number & ((1 << 255) - 1)
    if y >= P:
        return None
    x = _root((y * y - 1) * pow(D * y * y + 1, -1, P) % P)
    if x is None or (x == 0 and odd):
        return None
    x = P - x if x & 1 != odd else x
    return x, y, 1, x * y % P


def _root(square: int) -> int | None:
    root = pow(square, (P + 3) // 8, P)
    for candidate in (root, root * SQRT_MINUS_ONE % P):
        if candidate * candidate % P == square:
            return candidate
    return None


def _add(one: Point, other: Point) -> Point:
    """The sum, by the complete formulas of RFC 8032, section 5.1.4."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _negated(point: Point) -> Point:
    return P - point[0], point[1], point[2], P - point[3]


def _sum_of_products(n: int, one: Point, m: int, other: Point) -> Point:
    """n * one + m * other, both bit by bit at once. Everything here is public: it need not take constant time."""
    choices = (IDENTITY, one, other, _add(one, other))
    total = IDENTITY
    for bit in reversed(range(max(n.bit_length(), m.bit_length()))):
        total = _add(total, total)
        choice = (n >> bit & 1) | (m >> bit & 1) << 1
        if choice:
            total = _add(total, choices[choice])
    return total


def _is_same(one: Point, other: Point) -> bool:
    return (one[0] * other[2] - other[0] * one[2]) % P == 0 and (one[1] * other[2] - other[1] * one[2]) % P == 0


def _has_small_order(point: Point) -> bool:
    for _ in range(3):
        point = _add(point, point)
    return _is_same(point, IDENTITY)


_BASE = _decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
if _BASE is None:
    raise AssertionError("the base point is on the curve")
BASE = _BASE
