"""Reads minisign's secret keys, encrypted with a password or not, and signs with them in its prehashed way."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from medlora_setup.errors import Code, SetupError
from medlora_setup.minisign import PREHASHED, TRUSTED, UNTRUSTED, PublicKey

SIZE = 158
KIND = b"Ed"
SCRYPT, NO_PASSWORD = b"Sc", b"\0\0"
MAX_FILE = 4096


@dataclass(frozen=True, repr=False)
class SecretKey:
    """A minisign secret key, ready to sign: the 32 bytes it is made from, and its public half."""

    seed: bytes
    public: PublicKey

    def sign(self, message: bytes, comment: str) -> str:
        """The text of a minisign signature file of `message` with the trusted comment `comment`."""
        from nacl.signing import SigningKey

        key = SigningKey(self.seed)
        signature = key.sign(blake2b(message).digest()).signature
        about = key.sign(signature + comment.encode()).signature
        lines = (
            f"{UNTRUSTED}signature by the key {self.public.key_id}",
            base64.b64encode(PREHASHED + self.public.number + signature).decode(),
            f"{TRUSTED}{comment}",
            base64.b64encode(about).decode(),
        )
        return "\n".join(lines) + "\n"


def read_secret_key(path: Path, ask_password: Callable[[], str]) -> SecretKey:
    """Read the key file at `path`; `ask_password` is called when it is encrypted.

    Raises SetupError: exit 2 when there is no minisign secret key at `path`, exit 9 for a wrong password.
    """
    data = _file_content(path)
    kdf, salt = data[2:4], data[6:38]
    opslimit, memlimit = int.from_bytes(data[38:46], "little"), int.from_bytes(data[46:54], "little")
    body = data[54:]
    if kdf == SCRYPT:
        body = _decrypted(body, ask_password(), salt, opslimit, memlimit)
    elif kdf != NO_PASSWORD:
        raise _no_key("its password is processed in a way that is not known here", path)
    number, secret, checksum = body[:8], body[8:72], body[72:]
    encrypted = kdf == SCRYPT
    if (encrypted and blake2b(KIND + number + secret, digest_size=32).digest() != checksum) or not _belongs(secret):
        if not encrypted:
            raise _no_key("it is damaged", path)
        fix = "type it again; when it is right, the file is damaged"
        raise SetupError("the password is wrong", where=str(path), fix=fix, code=Code.SIGNATURE)
    return SecretKey(secret[:32], PublicKey(number, secret[32:]))


def _file_content(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            lines = stream.read(MAX_FILE).splitlines()
    except OSError as error:
        raise _no_key(f"it cannot be read ({error.strerror})", path) from error
    try:
        data = base64.b64decode(lines[1], validate=True)
    except (IndexError, binascii.Error):
        data = b""
    if len(data) != SIZE or data[:2] != KIND or data[4:6] != b"B2":
        raise _no_key("it has another format", path)
    return data


def _decrypted(body: bytes, password: str, salt: bytes, opslimit: int, memlimit: int) -> bytes:
    """The body XOR the key stream that scrypt makes of the password, as libsodium chooses its parameters."""
    from nacl.encoding import RawEncoder
    from nacl.pwhash import scrypt

    stream = scrypt.kdf(len(body), password.encode(), salt, opslimit, memlimit, RawEncoder)
    return bytes(one ^ other for one, other in zip(body, stream, strict=True))


def _belongs(secret: bytes) -> bool:
    from nacl.signing import SigningKey

    return bytes(SigningKey(secret[:32]).verify_key) == secret[32:]


def _no_key(why: str, path: Path) -> SetupError:
    fix = "give the secret key file that `minisign -G` made"
    return SetupError(f"this is no minisign secret key: {why}", where=str(path), fix=fix, code=Code.USAGE)
