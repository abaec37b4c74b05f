"""Decrypts every page of an SQLCipher 4 file and its write-ahead log, unused pages too: what a thief with the key sees.

AES-256-CBC after FIPS 197; a page of 4096 bytes ends with 16 bytes of initialisation vector and 64 of HMAC, and the
first begins with 16 bytes of salt.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PAGE, RESERVE, SALT = 4096, 80, 16
WAL_HEADER, FRAME_HEADER = 32, 24

Bytes = NDArray[np.uint8]


def decrypted(database: Path, key: bytes) -> bytes:
    """All pages of the file, then all of the log."""
    content = database.read_bytes()
    log = database.with_name(f"{database.name}-wal")
    frames = log.read_bytes()[WAL_HEADER:] if log.exists() else b""
    pages = [content[at : at + PAGE] for at in range(0, len(content), PAGE)]
    pages += [frames[at + FRAME_HEADER :][:PAGE] for at in range(0, len(frames), FRAME_HEADER + PAGE)]
    salt = content[:SALT]
    return b"".join(_page(page, key, first=page[:SALT] == salt) for page in pages if len(page) == PAGE)


def _page(page: bytes, key: bytes, *, first: bool) -> bytes:
    body = page[SALT if first else 0 : PAGE - RESERVE]
    return _cbc(body, key, page[PAGE - RESERVE :][:16])


def _cbc(body: bytes, key: bytes, vector: bytes) -> bytes:
    blocks = np.frombuffer(body, np.uint8).reshape(-1, 16)
    before = np.vstack([np.frombuffer(vector, np.uint8), blocks[:-1]])
    return (_decrypt(blocks, _schedule(key)) ^ before).tobytes()


def _decrypt(blocks: Bytes, rounds: list[Bytes]) -> Bytes:
    state = blocks ^ rounds[-1]
    for place in range(len(rounds) - 2, -1, -1):
        state = _UNBOX[state[:, _UNSHIFT]] ^ rounds[place]
        state = _unmix(state) if place else state
    return state


def _unmix(state: Bytes) -> Bytes:
    columns = state.reshape(-1, 4, 4)
    turned = [np.roll(columns, -by, axis=2) for by in range(4)]
    mixed = _TIMES[14][turned[0]] ^ _TIMES[11][turned[1]] ^ _TIMES[13][turned[2]] ^ _TIMES[9][turned[3]]
    return mixed.reshape(-1, 16)


def _schedule(key: bytes) -> list[Bytes]:
    words = [np.frombuffer(key[at : at + 4], np.uint8) for at in range(0, 32, 4)]
    constant = 1
    for number in range(8, 60):
        word = words[-1]
        if number % 8 == 0:
            word = _BOX[np.roll(word, -1)] ^ np.array([constant, 0, 0, 0], np.uint8)
            constant = _double(constant)
        elif number % 8 == 4:
            word = _BOX[word]
        words.append(words[-8] ^ word)
    return [np.concatenate(words[at : at + 4]) for at in range(0, 60, 4)]


def _double(value: int) -> int:
    return (value << 1) ^ (0x11B if value & 0x80 else 0)


def _times(a: int, b: int) -> int:
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a, b = _double(a), b >> 1
    return product


def _box() -> Bytes:
    inverse = [next((b for b in range(256) if _times(a, b) == 1), 0) for a in range(256)]
    turns = [[(value << by | value >> (8 - by)) & 0xFF for by in range(5)] for value in inverse]
    return np.array([a ^ b ^ c ^ d ^ e ^ 0x63 for a, b, c, d, e in turns], np.uint8)


_BOX = _box()
_UNBOX = np.argsort(_BOX).astype(np.uint8)
_UNSHIFT = np.array([(row + 4 * ((column - row) % 4)) for column in range(4) for row in range(4)])
_TIMES = {factor: np.array([_times(value, factor) for value in range(256)], np.uint8) for factor in (9, 11, 13, 14)}
