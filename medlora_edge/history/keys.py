"""The key of the kept chats: random, and sealed twice, once by the passphrase and once by the recovery code."""

import base64
import hashlib
import json
import secrets
import unicodedata
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from medlora_edge.errors import CorruptError, ResourceError, UsageError
from medlora_edge.files import write_atomic

NAME = "keys.json"
COPY = "keys.copy.json"  # one flipped bit in the only copy would cost every chat
SHORTEST_PASSPHRASE = 8
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FROM_RFC4648 = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", _CROCKFORD)
_MISREAD = str.maketrans("OIL", "011")


class Cost(NamedTuple):
    """Work of one guess: Argon2id passes, and bytes of memory."""

    passes: int
    memory: int


MODERATE = Cost(argon2id.OPSLIMIT_MODERATE, argon2id.MEMLIMIT_MODERATE)


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Slot(_Stored):
    """The data key, sealed (XSalsa20-Poly1305) under what Argon2id makes of one secret."""

    passes: int = Field(ge=argon2id.OPSLIMIT_MIN, le=16)
    memory: int = Field(ge=argon2id.MEMLIMIT_MIN, le=1 << 30)
    salt: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    sealed: Annotated[str, Field(pattern="^[0-9a-f]{144}$")]

    def unseal(self, secret: bytes) -> bytes | None:
        """The data key, or None for the wrong secret. Raises ResourceError without the memory it takes."""
        box = _box(secret, bytes.fromhex(self.salt), Cost(self.passes, self.memory))
        try:
            return box.decrypt(bytes.fromhex(self.sealed))
        except CryptoError:
            return None


class Slots(_Stored):
    """Both ways to the data key."""

    passphrase: Slot
    recovery: Slot


class _File(_Stored):
    version: Literal[1] = 1
    slots: Slots
    sha256: str


def seal(key: bytes, secret: bytes, cost: Cost) -> Slot:
    """A slot that opens with `secret`. Raises ResourceError."""
    salt = secrets.token_bytes(argon2id.SALTBYTES)
    sealed = bytes(_box(secret, salt, cost).encrypt(key))
    return Slot(passes=cost.passes, memory=cost.memory, salt=salt.hex(), sealed=sealed.hex())


def passphrase_secret(passphrase: str) -> bytes:
    """The same bytes whichever way a keyboard composes its accents."""
    return unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")


def new_passphrase_secret(passphrase: str) -> bytes:
    """The same for a passphrase being chosen. Raises UsageError when it is too short."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise UsageError("the passphrase is too short", fix=f"take at least {SHORTEST_PASSPHRASE} characters")
    return passphrase_secret(passphrase)


def new_recovery_code() -> str:
    """160 random bits as eight groups of four letters and digits (Crockford's base 32)."""
    symbols = base64.b32encode(secrets.token_bytes(20)).decode().translate(_FROM_RFC4648)
    return "-".join(symbols[at : at + 4] for at in range(0, len(symbols), 4))


def recovery_secret(code: str) -> bytes:
    """A code as typed from paper. Raises UsageError when it cannot be one."""
    symbols = "".join(code.upper().replace("-", " ").split()).translate(_MISREAD)
    if len(symbols) != 32 or set(symbols) - set(_CROCKFORD):
        raise UsageError("that is no recovery code", fix="type its eight groups of four letters and digits")
    return symbols.encode()


def save(folder: Path, slots: Slots) -> None:
    """Write both copies, each whole or not at all. Raises ResourceError."""
    content = _File(slots=slots, sha256=_digest(slots)).model_dump_json(indent=1).encode()
    for name in (NAME, COPY):
        try:
            write_atomic(folder / name, content)
        except OSError as error:
            raise ResourceError(f"the keys cannot be written: {error.strerror}", where=str(folder / name)) from error


def load(folder: Path) -> Slots:
    """The slots, from whichever copy is whole.

    Raises CorruptError when none is, UsageError when a newer version of the program wrote them.
    """
    slots = _read(folder / NAME) or _read(folder / COPY)
    if slots is None:
        raise CorruptError(
            "the keys of the chats are missing or damaged", where=str(folder / NAME), fix="put it back from a backup"
        )
    return slots


def _read(path: Path) -> Slots | None:
    try:
        content = json.loads(path.read_bytes())
        _refuse_newer(content, path)
        file = _File.model_validate(content)
    except (OSError, ValueError, ValidationError, RecursionError):
        return None
    return file.slots if file.sha256 == _digest(file.slots) else None


def _refuse_newer(content: object, path: Path) -> None:
    version = content.get("version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > 1:
        raise UsageError(
            "the keys were written by a newer version of the program", where=str(path), fix="update the program"
        )


def _digest(slots: Slots) -> str:
    return hashlib.sha256(slots.model_dump_json().encode()).hexdigest()


def _box(secret: bytes, salt: bytes, cost: Cost) -> SecretBox:
    try:
        return SecretBox(argon2id.kdf(SecretBox.KEY_SIZE, secret, salt, opslimit=cost.passes, memlimit=cost.memory))
    except CryptoError as error:
        fix = "close other programs, or unload the model"
        raise ResourceError(f"opening the chats takes {cost.memory >> 20} MiB of free memory", fix=fix) from error
