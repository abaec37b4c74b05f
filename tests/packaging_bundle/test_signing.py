"""Signing a bundle: what minisign's own program accepts, with its own keys, and the card for the laptop."""

import base64
import shutil
import subprocess
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import pytest
from nacl.encoding import RawEncoder
from nacl.pwhash import scrypt

from medlora_bundle.secret_key import KIND, SecretKey, read_secret_key
from medlora_bundle.signing import sign
from medlora_setup.errors import Code, SetupError
from medlora_setup.manifest import read
from medlora_setup.minisign import PublicKey
from medlora_setup.verify import MANIFEST, SIGNATURE, verify
from tests.packaging_setup import toy

PASSWORD = "pass wörd"
OPSLIMIT, MEMLIMIT = scrypt.OPSLIMIT_MIN, scrypt.MEMLIMIT_MIN


def no_password() -> str:
    raise AssertionError("the key is not encrypted")


def key_file(place: Path, key: SecretKey = toy.KEY, password: str | None = None) -> Path:
    """A secret key file in minisign's format, with a password that takes milliseconds instead of seconds."""
    secret = key.public.number + key.seed + key.public.point
    body = secret + (blake2b(KIND + secret, digest_size=32).digest() if password else bytes(32))
    salt = bytes(range(32))
    if password:
        stream = scrypt.kdf(len(body), password.encode(), salt, OPSLIMIT, MEMLIMIT, RawEncoder)
        body = bytes(one ^ other for one, other in zip(body, stream, strict=True))
    kdf = b"Sc" if password else b"\0\0"
    limits = OPSLIMIT.to_bytes(8, "little") + MEMLIMIT.to_bytes(8, "little")
    data = base64.b64encode(KIND + kdf + b"B2" + salt + limits + body).decode()
    place.write_text(f"untrusted comment: secret key\n{data}\n")
    return place


@pytest.fixture
def unsigned(tmp_path: Path) -> Path:
    bundle = toy.build(tmp_path / "bundle")
    (bundle / SIGNATURE).unlink()
    return bundle


def test_a_signed_bundle_verifies_and_its_card_says_what_to_compare(unsigned: Path, tmp_path: Path) -> None:
    card = sign(unsigned, key_file(tmp_path / "key"), no_password)
    verified = verify(unsigned, toy.KEY.public)
    hashes = {file.path: file.sha256 for file in verified.manifest.files}
    lines = card.text.splitlines()
    assert lines[0] == "medlora-edge 0.1.0, serial 5"
    assert lines[1].split()[1].removesuffix(",") == toy.KEY.public.key_id
    assert toy.KEY.public.has_fingerprint(lines[2])
    for at, path in ((3, "install.sh"), (6, "payload/python.tar.gz")):
        assert lines[at] == f"SHA-256 of {path}"
        assert "".join("".join(lines[at + 1 : at + 3]).split()) == hashes[path]
    assert max(map(len, lines)) < 80


def test_two_signatures_are_the_same_bytes(unsigned: Path, tmp_path: Path) -> None:
    sign(unsigned, key_file(tmp_path / "key"), no_password)
    first = (unsigned / SIGNATURE).read_bytes()
    sign(unsigned, key_file(tmp_path / "key", password=PASSWORD), lambda: PASSWORD)
    assert (unsigned / SIGNATURE).read_bytes() == first


@pytest.fixture
def minisign() -> str:
    program = shutil.which("minisign")
    if program is None:
        pytest.skip("stock minisign is not installed (Debian: apt-get install minisign)")
    return program


def test_stock_minisign_accepts_what_its_own_key_signed(minisign: str, tmp_path: Path) -> None:
    subprocess.run([minisign, "-GW", "-p", "key.pub", "-s", "key"], cwd=tmp_path, check=True, capture_output=True)
    public = PublicKey.parse((tmp_path / "key.pub").read_text())
    bundle = toy.build(tmp_path / "bundle", key=replace(toy.KEY, public=public))
    (bundle / SIGNATURE).unlink()
    sign(bundle, tmp_path / "key", no_password)
    command = [minisign, "-Vm", MANIFEST, "-p", "keys/release.pub"]
    done = subprocess.run(command, cwd=bundle, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "product:medlora-edge serial:5 version:0.1.0 sha256:" in done.stdout


def test_a_password_is_understood_as_stock_minisign_does(minisign: str, unsigned: Path, tmp_path: Path) -> None:
    """Both read one encrypted key file, and make the same signature with it."""
    sign(unsigned, key_file(tmp_path / "key", password=PASSWORD), lambda: PASSWORD)
    ours = (unsigned / SIGNATURE).read_text().splitlines()
    comment = ours[2].removeprefix("trusted comment: ")
    command = [minisign, "-S", "-s", "../key", "-m", MANIFEST, "-x", "../theirs", "-t", comment]
    subprocess.run(command, cwd=unsigned, input=f"{PASSWORD}\n".encode(), check=True, capture_output=True)
    assert (tmp_path / "theirs").read_text().splitlines()[1:] == ours[1:]


def refuse(bundle: Path, key: Path, says: str, code: Code, password: str = PASSWORD) -> None:
    with pytest.raises(SetupError, match=says) as caught:
        sign(bundle, key, lambda: password)
    assert caught.value.code == code
    assert not (bundle / SIGNATURE).exists()


def test_a_wrong_password(unsigned: Path, tmp_path: Path) -> None:
    key = key_file(tmp_path / "key", password=PASSWORD)
    refuse(unsigned, key, "password is wrong", Code.SIGNATURE, password="other")


def test_a_key_the_bundle_was_not_built_for(unsigned: Path, tmp_path: Path) -> None:
    key = key_file(tmp_path / "key", toy.secret_key(2))
    refuse(unsigned, key, "carries the public key 101010101010101;", Code.SIGNATURE)


def test_a_bundle_that_is_not_as_its_manifest_says(unsigned: Path, tmp_path: Path) -> None:
    (unsigned / "install.sh").write_bytes(b"#!/bin/sh\nrm -rf /\n")
    refuse(unsigned, key_file(tmp_path / "key"), "not as signed", Code.CORRUPT)


def test_an_earlier_signature_outlives_a_refusal(unsigned: Path, tmp_path: Path) -> None:
    key = key_file(tmp_path / "key")
    sign(unsigned, key, no_password)
    before = (unsigned / SIGNATURE).read_bytes()
    (unsigned / "install.sh").write_bytes(b"#!/bin/sh\nrm -rf /\n")
    with pytest.raises(SetupError, match="not as signed"):
        sign(unsigned, key, no_password)
    assert (unsigned / SIGNATURE).read_bytes() == before


def test_no_signature_is_there_while_the_files_are_read(
    unsigned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("medlora_setup.verify.wrong_bytes", killed)
    with pytest.raises(KeyboardInterrupt):
        sign(unsigned, key_file(tmp_path / "key"), no_password)
    assert not (unsigned / SIGNATURE).exists()


def test_a_malformed_manifest_is_not_signed(unsigned: Path, tmp_path: Path) -> None:
    (unsigned / MANIFEST).write_bytes(b"{}\n")
    refuse(unsigned, key_file(tmp_path / "key"), "malformed", Code.CORRUPT)


def test_no_bundle(tmp_path: Path) -> None:
    refuse(tmp_path, key_file(tmp_path / "key"), "no bundle", Code.USAGE)


@pytest.mark.parametrize("content", ["", "one line\n", "a\nb\n", f"comment\n{base64.b64encode(bytes(158)).decode()}\n"])
def test_a_file_that_is_no_secret_key(unsigned: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content)
    refuse(unsigned, tmp_path / "key", "no minisign secret key", Code.USAGE)


def test_a_missing_secret_key(unsigned: Path, tmp_path: Path) -> None:
    refuse(unsigned, tmp_path / "nowhere", "cannot be read", Code.USAGE)


def test_a_public_key_in_the_place_of_the_secret_one(unsigned: Path) -> None:
    refuse(unsigned, unsigned / "keys/release.pub", "no minisign secret key", Code.USAGE)


def test_a_damaged_secret_key_without_password(unsigned: Path, tmp_path: Path) -> None:
    damaged = replace(toy.KEY, seed=bytes(32))
    refuse(unsigned, key_file(tmp_path / "key", damaged), "it is damaged", Code.USAGE)


def test_a_key_derived_in_an_unknown_way(unsigned: Path, tmp_path: Path) -> None:
    place = key_file(tmp_path / "key")
    comment, line = place.read_text().splitlines()
    data = bytearray(base64.b64decode(line))
    data[2:4] = b"A2"
    place.write_text(f"{comment}\n{base64.b64encode(data).decode()}\n")
    refuse(unsigned, place, "not known here", Code.USAGE)


def test_the_secret_is_not_shown_by_accident(tmp_path: Path) -> None:
    key = read_secret_key(key_file(tmp_path / "key"), no_password)
    assert key.seed == toy.KEY.seed
    assert key.seed.hex() not in repr(key)
    assert repr(key.seed) not in repr(key)


def test_signing_leaves_the_manifest_as_it_is(unsigned: Path, tmp_path: Path) -> None:
    before = (unsigned / MANIFEST).read_bytes()
    sign(unsigned, key_file(tmp_path / "key"), no_password)
    assert (unsigned / MANIFEST).read_bytes() == before
    assert read(before).serial == 5
