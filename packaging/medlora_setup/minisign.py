"""Reads public keys and signatures in minisign's format and checks the prehashed kind; the older kind is refused."""

import base64
import binascii
from dataclasses import dataclass
from hashlib import blake2b, sha256

from medlora_setup import ed25519
from medlora_setup.errors import Code, SetupError

KEY_ALGORITHM = b"Ed"
PREHASHED = b"ED"
LEGACY = b"Ed"
UNTRUSTED = "untrusted comment: "
TRUSTED = "trusted comment: "
MAX_LINE = 1024
GET_AGAIN = "get the bundle again from where it came, and compare the key with its printed card"


@dataclass(frozen=True)
class PublicKey:
    """A minisign public key: its number (8 bytes, only a name) and the Ed25519 key itself (32 bytes)."""

    number: bytes
    point: bytes

    @classmethod
    def parse(cls, text: str) -> "PublicKey":
        """Read a key file (a comment and a line of base64), or the line alone. Raises SetupError (exit 9)."""
        lines = text.removesuffix("\n").split("\n")
        if len(lines) == 2 and lines[0].startswith(UNTRUSTED):
            lines = lines[1:]
        if len(lines) != 1:
            raise _refusal("this is no minisign public key: it must be a comment and one line of base64")
        data = _decoded(lines[0], 42, "public key")
        if data[:2] != KEY_ALGORITHM:
            raise _refusal("the public key is of a kind that is not known here; Ed25519 is")
        return cls(data[2:10], data[10:])

    @property
    def line(self) -> str:
        """The key as one line of base64, as in the second line of its file."""
        return base64.b64encode(KEY_ALGORITHM + self.number + self.point).decode()

    @property
    def key_id(self) -> str:
        """The number as minisign prints it: no leading zeros. A name that anyone can give a key of their own."""
        return _key_id(self.number)

    @property
    def fingerprint(self) -> str:
        """What a person compares with the printed card: 128 bits of the key's SHA-256, as 8 groups of 4 digits."""
        digits = sha256(self.point).hexdigest()
        return " ".join(digits[at : at + 4] for at in range(0, 32, 4))

    def has_fingerprint(self, typed: str) -> bool:
        """Whether `typed` is this key's whole fingerprint, in any case, with or without spaces and dashes."""
        return "".join(typed.replace("-", "").split()).lower() == self.fingerprint.replace(" ", "")


@dataclass(frozen=True)
class Signature:
    """A signature file: who signed (the key's number), the signature, the trusted comment and its own signature."""

    number: bytes
    value: bytes
    comment: str
    comment_signature: bytes

    @property
    def key_id(self) -> str:
        """The signing key's number as minisign prints it."""
        return _key_id(self.number)

    @classmethod
    def parse(cls, text: str) -> "Signature":
        """Read a signature file's four lines. Raises SetupError (exit 9) saying what is wrong with them."""
        lines = text.split("\n")
        if len(lines) != 5 or lines[4]:
            raise _refusal("the signature is malformed: it must be four lines, each with its end")
        if not lines[0].startswith(UNTRUSTED) or not lines[2].startswith(TRUSTED):
            raise _refusal("the signature is malformed: a comment line is missing")
        data = _decoded(lines[1], 74, "signature")
        if data[:2] == LEGACY:
            raise _refusal("the signature is of minisign's legacy kind", fix="have the manifest signed with prehashing")
        if data[:2] != PREHASHED:
            raise _refusal("the signature is of a kind that is not known here")
        comment = lines[2].removeprefix(TRUSTED)
        if len(comment) > MAX_LINE or not comment.isprintable():
            raise _refusal("the signature's trusted comment is too long or holds control characters")
        return cls(data[2:10], data[10:], comment, _decoded(lines[3], 64, "trusted comment's signature"))


def verify(key: PublicKey, message: bytes, signature_text: str) -> str:
    """Check the signature file `signature_text` of `message` against `key`; return its trusted comment.

    Raises SetupError (exit 9) for a malformed or legacy signature, another key, other bytes, an edited comment.
    """
    signature = Signature.parse(signature_text)
    if signature.number != key.number:
        raise _refusal(f"it is signed with the key {signature.key_id}, not with {key.key_id}, which is trusted here")
    if not ed25519.verify(key.point, blake2b(message).digest(), signature.value):
        raise _refusal("the signature does not fit: other bytes or another key were signed")
    if not ed25519.verify(key.point, signature.value + signature.comment.encode(), signature.comment_signature):
        raise _refusal("the signature's trusted comment has been edited")
    return signature.comment


def _decoded(line: str, size: int, what: str) -> bytes:
    """The `size` bytes that `line` stands for, in the one way there is to write them."""
    try:
        data = base64.b64decode(line.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        data = b""
    if len(data) != size or base64.b64encode(data).decode() != line:
        raise _refusal(f"the {what} is malformed: it must be {size} bytes of base64")
    return data


def _key_id(number: bytes) -> str:
    return f"{int.from_bytes(number, 'little'):X}"


def _refusal(what: str, *, fix: str = GET_AGAIN) -> SetupError:
    return SetupError(what, fix=fix, code=Code.SIGNATURE)
